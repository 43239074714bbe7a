"""The flow of the published training wizard, a script of core 0.18.6, as it was published."""

import json
import os
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

from tests.support.published.environment import published_environment
from tests.support.published.wheels import source

pytestmark = [pytest.mark.e2e, pytest.mark.published]

CUBES = "data/scene.npz"
# The same for the run that comes to its end and the one that is stopped after its third message,
# which has to last until the request is through: hence a stack that looks for it often.
EPOCHS = 10
HEARTBEAT_S = "0.05"


def configs_of(python: Path) -> Path:
    """The configs that cuvis-ai 0.19.3 brings along."""
    variables = {"platbase": str(python.parent.parent), "base": str(python.parent.parent)}
    return Path(sysconfig.get_path("purelib", vars=variables)) / "cuvis_ai" / "configs"


def splits(train: list[object]) -> dict[str, object]:
    def pick(ids: list[object]) -> list[dict[str, object]]:
        return [{"kind": "file_indices", "source": CUBES, "ids": ids}]

    return {"train": pick(train), "val": pick([1, 5]), "test": pick([1, 5])}


@pytest.fixture
def preset(data_dir) -> Path:
    """A trainrun as presets of the release are: flat, with a path to its pipeline beside it."""
    python = published_environment("cuvis-ai-0.19.3")
    folder = data_dir / "wizard"
    pipelines = folder / "pipeline"
    pipelines.mkdir(parents=True, exist_ok=True)
    published = configs_of(python) / "pipeline" / "anomaly" / "rx" / "channel_selector.yaml"
    (pipelines / published.name).write_bytes(published.read_bytes())
    (folder / "splits.json").write_text(json.dumps(splits([0, "2-3"])), encoding="utf-8")
    trainrun = {
        "name": "wizard",
        "pipeline": f"pipeline/{published.name}",
        "data": {
            "data_module": "cu3s",
            "batch_size": 1,
            "num_workers": 0,
            # The wizard fills in both empty entries.
            "splits": {"splits_path": ""},
            "params": {"cu3s_file_path": CUBES, "data_dir": ""},
        },
        "training": {
            "seed": 42,
            "accelerator": "cpu",
            "optimizer": {"name": "adamw", "lr": 0.001, "weight_decay": 0.0},
            "callbacks": {
                "checkpoint": {
                    "dirpath": "outputs/wizard/checkpoints",
                    "monitor": "metrics_anomaly/iou",
                    "mode": "max",
                    "save_top_k": 1,
                }
            },
        },
        "loss_nodes": ["bce"],
        "metric_nodes": ["metrics_anomaly"],
        "unfreeze_nodes": ["SoftChannelSelector", "RXGlobal", "ScoreToLogit"],
        "output_dir": "outputs/wizard",
    }
    path = folder / "trainrun.yaml"
    path.write_text(yaml.safe_dump(trainrun), encoding="utf-8")
    return path


def test_all_checks_of_the_published_wizard_pass(start_stack, data_dir, preset, tmp_path):
    python = published_environment("cuvis-ai-0.19.3")
    script = source("cuvis-ai-core", "0.18.6") / "examples" / "cuvisnext_train_flow.py"
    output_dir = tmp_path / "outputs" / "wizard"
    options = {
        "--trainrun": preset,
        "--plugins-dir": configs_of(python) / "plugins",
        "--plugins": "cuvis_ai_builtin,cuvis_ai_dataloader",
        "--data-dir": data_dir,
        "--splits-json": preset.with_name("splits.json"),
        "--epochs": EPOCHS,
        "--output-dir": output_dir,
    }
    with start_stack(HEARTBEAT_S=HEARTBEAT_S, TORCH_THREADS="1") as stack:
        arguments = ["--server", stack.address]
        arguments += [str(part) for option in options.items() for part in option]
        done = subprocess.run(
            [python, script, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.rstrip().endswith("ALL CHECKS PASSED")
    saved = yaml.safe_load((output_dir / "saved" / "trainrun.yaml").read_text(encoding="utf-8"))
    assert saved["tags"] == {"cuvisnext.flow": "headless-verification"}
    assert saved["data"]["splits"]["splits_path"] == str(preset.with_name("splits.json"))
