"""Classes of the published contract run in both engines with the same results."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.parity.published import run_published
from tests.parity.test_trainruns import assert_same
from tests.support.scenes.lentils_scene import BANDS

pytestmark = pytest.mark.published

SCRIPT = Path(__file__).with_name("third_party_nodes.py")
THIRD_PARTY = ("scale", "detector", "colours", "level")
TRAIN = [0, 1, 2, 3]


def _node(name, class_name, **hparams):
    return {"name": name, "class_name": class_name, "hparams": hparams}


def _edges(*pairs):
    return [
        {
            "source": source.replace(".", ".outputs."),
            "target": target.replace(".", ".inputs."),
        }
        for source, target in pairs
    ]


TRAINRUN = {
    "name": "lab",
    "pipeline": {
        "metadata": {"name": "lab"},
        "nodes": [
            _node("data", "cuvis_ai.node.data.LentilsAnomalyDataNode", normal_class_ids=[0, 1]),
            _node("scale", "lab_plugin.ChannelScaler", num_channels=BANDS),
            _node("detector", "lab_plugin.Detector", num_channels=BANDS),
            _node("colours", "lab_plugin.Colours", target_wavelengths=[650.0, 550.0, 450.0]),
            _node("logit", "cuvis_ai.node.conversion.ScoreToLogit"),
            _node("decider", "cuvis_ai.deciders.binary_decider.BinaryDecider"),
            _node("bce", "cuvis_ai.node.losses.AnomalyBCEWithLogits"),
            _node("level", "lab_plugin.ScoreLevel"),
        ],
        "connections": _edges(
            ("data.cube", "scale.data"),
            ("data.cube", "colours.cube"),
            ("data.wavelengths", "colours.wavelengths"),
            ("scale.scaled", "detector.data"),
            ("detector.scores", "logit.scores"),
            ("logit.logits", "decider.logits"),
            ("logit.logits", "bce.predictions"),
            ("data.mask", "bce.targets"),
            ("detector.scores", "level.scores"),
        ),
    },
    # One batch per epoch, so that the shuffling order does not matter.
    "data": {
        "cu3s_file_path": "",
        "train_ids": TRAIN,
        "val_ids": [4, 5],
        "test_ids": [6],
        "batch_size": len(TRAIN),
        "processing_mode": "Reflectance",
    },
    "training": {
        "seed": 1,
        "trainer": {"max_epochs": 3, "accelerator": "cpu", "enable_progress_bar": False},
        "optimizer": {"name": "adamw", "lr": 0.001, "weight_decay": 0.0},
    },
    "loss_nodes": ["bce"],
    "metric_nodes": ["level"],
    "unfreeze_nodes": ["scale", "logit"],
}


@pytest.fixture(scope="module")
def folder(scene, tmp_path_factory):
    """Results of the script: weights and outputs of both engines."""
    left = tmp_path_factory.mktemp("third_party")
    job = {
        "trainrun": TRAINRUN,
        "scene": scene.folder / "scene.cu3s",
        "npz": scene.npz,
        "annotations": scene.folder / "scene.json",
        "folder": left,
    }
    run_published(SCRIPT, [job], left, environment="engine-with-cuvis-ai-0.4.0")
    return left


def weights(path):
    loaded = torch.load(path, weights_only=True)["state_dict"]
    return {f"{name}.{key}": value for name, node in loaded.items() for key, value in node.items()}


def test_third_party_classes_are_adapted_and_built_in_ones_take_precedence(folder):
    classes = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    adapted = {name for name, kind in classes.items() if kind.endswith(".ThirdPartyNode")}
    assert adapted == set(THIRD_PARTY)
    assert all(kind.startswith("fleet_engine.") for kind in classes.values())


@pytest.mark.parametrize(("training", "tolerance"), [("fitted", 1e-5), ("trained", 1e-4)])
def test_same_weights_and_outputs_as_in_the_published_pipeline(folder, training, tolerance):
    theirs, own = (weights(folder / f"{side}_{training}.pt") for side in ("theirs", "ours"))
    assert own.keys() == theirs.keys()
    for key, expected in theirs.items():
        scale = float(expected.abs().max())
        torch.testing.assert_close(
            own[key],
            expected,
            rtol=0,
            atol=tolerance * scale,
            msg=lambda text, key=key: f"{key}: {text}",
        )
    assert_same(
        np.load(folder / f"ours_{training}.npz"),
        np.load(folder / f"theirs_{training}.npz"),
        tolerance,
    )


def test_training_reached_the_third_party_node_and_its_metric(folder):
    fitted, trained = weights(folder / "ours_fitted.pt"), weights(folder / "ours_trained.pt")
    moved = {key for key in fitted if not torch.equal(fitted[key], trained[key])}
    assert moved == {"scale.centre", "scale.spread", "logit.scale", "logit.bias"}
    assert "level/level" in json.loads((folder / "logged.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("loaded", "saved"),
    [
        ("ours_restored", "ours_trained"),
        ("ours_loaded_there", "ours_trained"),
        ("theirs_loaded_here", "theirs_trained"),
    ],
)
def test_outputs_are_the_same_after_saving_and_loading_on_either_side(folder, loaded, saved):
    assert_same(np.load(folder / f"{loaded}.npz"), np.load(folder / f"{saved}.npz"), 1e-5)
