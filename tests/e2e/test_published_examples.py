"""The example clients of cuvis-ai 0.4.0, as they were published, against our stack.

All fifteen that need no plugin are started as a user starts them. Most know one address,
localhost:50051; calls to it are led to the stack by the driver, so that the stack of the tests may
listen elsewhere.

The published server of that release, started as `bench.published_server` does in a copy of the
release's own folder with the same data, passes nine of them (the restoring ones in info mode) and
fails six:

| example | ends with |
| --- | --- |
| train_from_scratch_client.py | FAILED_PRECONDITION: a pipeline already exists |
| pipeline_discovery_client.py | UNIMPLEMENTED: ListAvailablePipelinees |
| introspection_client.py | NOT_FOUND: pipeline/rx_statistical |
| inference_with_pretrained_client.py | NOT_FOUND: pipeline/rx_statistical |
| complex_inputs_client.py | NOT_FOUND: pipeline/channel_selector |
| run_inference.py | no module cuvis_ai.data; with one: NOT_FOUND, a path with its configs/ |
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.e2e.test_published_messages import OUTPUT_KEYS
from tests.support.published.environment import published_environment
from tests.support.published.wheels import source
from tests.support.sdk_stub import cu3s
from tests.support.wire import wire

pytestmark = [pytest.mark.e2e, pytest.mark.published]

DRIVER = """
import runpy, sys
from pathlib import Path
import grpc

address, script, *arguments = sys.argv[1:]
connect = grpc.insecure_channel

def led(target, *more, **options):
    return connect(address if target == "localhost:50051" else target, *more, **options)

grpc.insecure_channel = led
sys.path.insert(0, str(Path(script).parent))
sys.argv = [script, *arguments]
runpy.run_path(script, run_name="__main__")
"""

DEEP_SVDD_KEYS = {
    "LentilsAnomalyDataNode.cube",
    "LentilsAnomalyDataNode.wavelengths",
    "BandpassByWavelength.filtered",
    "PerPixelUnitNorm.normalized",
    "ZScoreNormalizerGlobal.normalized",
    "DeepSVDDProjection.embeddings",
    "DeepSVDDCenterTracker.center",
    "DeepSVDDScores.scores",
    "QuantileBinaryDecider.decisions",
}
SELECTOR_KEYS = {
    "data.cube",
    "data.wavelengths",
    "decider.decisions",
    "detector.scores",
    "logit.logits",
    "normalizer.normalized",
    "selector.selected",
    "selector.weights",
}
COMPLETE = "[EXECUTION_STAGE_TRAIN] TRAIN_STATUS_COMPLETE"

Example = Callable[..., str]


@pytest.fixture(scope="module")
def example(stack, stack_dir) -> Example:
    """``example("deepsvdd_client.py", ...)`` -> what the script printed."""
    folder = source("cuvis-ai", "0.4.0") / "examples" / "grpc"

    def run(
        script: str,
        *arguments: object,
        environment: str = "cuvis-ai-0.4.0",
        imports: Sequence[Path] = (),
    ) -> str:
        python = published_environment(environment)
        python_path = os.pathsep.join(map(str, (cu3s.PYTHONPATH, *imports)))
        done = subprocess.run(
            [python, "-c", DRIVER, stack.address, folder / script, *map(str, arguments)],
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
            # Scripts name what they save by its path below their own folder, which is why the
            # stack must be able to write there.
            cwd=stack_dir,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(stack_dir),
                "PYTHONPATH": python_path,
            },
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    return run


def keys_of_inference(printed: str) -> set[str]:
    found = re.search(r"Inference outputs: \[(.*)\]", printed)
    assert found is not None, printed
    return set(re.findall(r"'([^']+)'", found[1]))


def test_statistical_training(example):
    printed = example("statistical_training_client.py")

    assert "Resolved trainrun 'rx_statistical' with pipeline '" in printed
    assert printed.count(COMPLETE) == 1
    assert "Training finished with status: TRAIN_STATUS_COMPLETE" in printed
    assert keys_of_inference(printed) == OUTPUT_KEYS
    assert printed.rstrip().endswith("Session closed.")


def test_deep_svdd(example):
    printed = example("deepsvdd_client.py")

    assert "Resolved trainrun 'deep_svdd' with pipeline 'DeepSVDD_Gradient'" in printed
    assert "Training finished with status: TRAIN_STATUS_COMPLETE" in printed
    assert keys_of_inference(printed) == DEEP_SVDD_KEYS
    assert printed.rstrip().endswith("Session closed.")


def test_gradient_training(example):
    printed = example("gradient_training_client.py")

    assert "with loss nodes: ['deepsvdd_loss']" in printed
    statistical, gradient = printed.split("Starting gradient training...")
    assert f"[statistical init] {COMPLETE}" in statistical
    assert gradient.count(COMPLETE) == 1
    assert re.search(
        r"\[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_RUNNING \| losses={.*'total': ", gradient
    )
    assert re.search(r"\[EXECUTION_STAGE_VAL\] .*metrics={.*'metrics_anomaly/iou': ", gradient)
    assert keys_of_inference(printed) == DEEP_SVDD_KEYS
    assert printed.rstrip().endswith("Session closed.")


def test_complete_workflow(example, stack_dir):
    printed = example("complete_workflow_client.py")

    assert f"[statistical] {COMPLETE}" in printed
    assert f"[gradient] {COMPLETE}" in printed
    assert keys_of_inference(printed) == DEEP_SVDD_KEYS
    for said, name in (
        ("Pipeline saved to", "demo_pipeline.yaml"),
        ("Weights saved to", "demo_pipeline.pt"),
        ("Trainrun saved to", "demo_trainrun.yaml"),
    ):
        assert f"{said} {stack_dir / 'outputs' / name}" in printed
        assert (stack_dir / "outputs" / name).stat().st_size
    assert printed.rstrip().endswith("Session closed.")


def test_checkpoint(example):
    printed = example("checkpoint_client.py")

    assert f"[statistical init] {COMPLETE}" in printed
    assert printed.count(COMPLETE) == 2
    assert re.search(r"Reloaded pipeline into session \S+\n$", printed)


def test_train_from_scratch(example, stack_dir):
    printed = example("train_from_scratch_client.py")

    assert "Applied custom trainrun 'channel_selector' with manual tweaks" in printed
    assert printed.count(COMPLETE) == 2
    assert (
        f"Trainrun saved: {stack_dir / 'outputs' / 'train_from_scratch_trainrun.yaml'}" in printed
    )
    assert printed.rstrip().endswith("Session closed.")


@pytest.fixture(scope="module")
def resumed(example) -> str:
    """What the example that saves, restores and goes on printed."""
    return example("resume_training_client.py")


@pytest.fixture(scope="module")
def gradient_trainrun(resumed, stack_dir) -> Path:
    """A trainrun of one epoch that the example before saved."""
    return Path(stack_dir / "outputs" / "deep_svdd_snapshot.yaml")


def test_resume_training(resumed, stack_dir):
    assert f"Saved weights to {stack_dir / 'outputs' / 'deep_svdd_snapshot'}" in resumed
    assert "with weights" in resumed
    assert resumed.count(COMPLETE) == 1
    assert f"Pipeline saved to {stack_dir / 'outputs' / 'resumed_pipeline.yaml'}" in resumed
    assert (stack_dir / "outputs" / "resumed_trainrun.yaml").stat().st_size
    assert resumed.rstrip().endswith("Session closed.")


def test_restore_trainrun_tells_what_goes_in_and_comes_out(example, gradient_trainrun):
    printed = example("restore_trainrun_grpc.py", "--trainrun-path", gradient_trainrun)

    assert "cube: shape=[-1x-1x-1x-1]" in printed
    assert "QuantileBinaryDecider.decisions" not in printed  # connected, hence no end of the graph
    assert "Session closed." in printed


@pytest.mark.parametrize(
    ("mode", "last"),
    [
        ("train", "[EXECUTION_STAGE_TRAIN] TRAIN_STATUS_COMPLETE"),
        # These two end at the first message of their stage, in the middle of the training.
        ("validate", "[EXECUTION_STAGE_VAL] TRAIN_STATUS_RUNNING"),
        ("test", "[EXECUTION_STAGE_TEST] TRAIN_STATUS_RUNNING"),
    ],
)
def test_restore_trainrun_trains(example, gradient_trainrun, mode, last):
    printed = example(
        "restore_trainrun_grpc.py", "--trainrun-path", gradient_trainrun, "--mode", mode
    )

    assert re.findall(r"\[EXECUTION_STAGE_\w+\] \w+", printed)[-1] == last
    assert f"{mode.capitalize()} mode complete" in printed
    assert "Session closed." in printed


@pytest.fixture(scope="module")
def statistical_trainrun(stack, stack_dir) -> Path:
    """A trainrun without losses, saved by a client."""
    with wire(stack.address) as calls:
        session_id = calls.session()
        calls.apply(session_id, calls.resolve(session_id, "trainrun", "trainrun/rx_statistical"))
        path = stack_dir / "outputs" / "rx_trainrun.yaml"
        calls.call("SaveTrainRun", session_id=session_id, trainrun_path=str(path))
        calls.call("CloseSession", session_id=session_id)
    return path


@pytest.mark.parametrize("mode", ["info", "train", "validate", "test"])
def test_restore_trainrun_statistical(example, statistical_trainrun, mode):
    printed = example(
        *("restore_trainrun_statistical_grpc.py", "--trainrun-path", statistical_trainrun),
        *("--mode", mode),
    )

    assert "Warning: This trainrun has" not in printed
    if mode == "info":
        assert "cube: shape=[-1x-1x-1x-1]" in printed
    else:
        assert COMPLETE in printed
        assert f"{mode.capitalize()} mode complete" in printed
    assert "Session closed." in printed


def test_pipeline_discovery(example):
    # The one client of the first release, whose schemas have the misspelt method.
    printed = example("pipeline_discovery_client.py", environment="schemas-0.1.0")

    found = re.search(r"Found (\d+) pipeline\(es\):\n((?:  .*\n)+)", printed)
    assert found is not None, printed
    names = re.findall(r"^  (\S+)\n    Description: \S.*\n    Tags: \S", found[2], re.MULTILINE)
    assert int(found[1]) == len(names)
    assert {"rx_statistical", "anomaly/rx/rx_statistical"} <= {
        name.removesuffix(".yaml") for name in names
    }
    assert f"Pipeline details: {names[0]}\n" in printed
    assert re.search(r"\nSession created: \S+\n", printed)
    assert re.search(r"^Pipeline inputs: .*cube", printed, re.MULTILINE)
    assert re.search(r"^Pipeline outputs: .*\w\n\Z", printed, re.MULTILINE)


def test_capabilities(example):
    printed = example("capabilities_client.py")

    assert "Supported optimizers: adam" in printed
    assert re.search(r"^Supported schedulers: .*reduce_on_plateau", printed, re.MULTILINE)
    assert re.search(r"^- EarlyStopping: \S", printed, re.MULTILINE)
    assert "Validating baseline config: valid=True, errors=[]" in printed
    _, refused = printed.split("Validating bad config: valid=False\n")
    assert re.search(r"^  .*optimizer\.lr.*-0\.001", refused, re.MULTILINE)


def test_introspection(example, stack_dir):
    printed = example("introspection_client.py")

    inputs, outputs = printed.split("Pipeline outputs:")
    assert re.search(
        r"^  cube: shape=\[-1, -1, -1, -1\], dtype=\w+, required$", inputs, re.MULTILINE
    )
    assert "  decider.decisions: shape=[-1, -1, -1, 1], dtype=D_TYPE_BOOL\n" in outputs
    assert "Visualization saved: pipeline_visualization.png" in outputs
    drawn = (stack_dir / "pipeline_visualization.png").read_bytes()
    # A server without Graphviz sends its text, and the script saves what it gets.
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n" if shutil.which("dot") else b"digraph")


def test_inference_with_pretrained(example):
    printed = example("inference_with_pretrained_client.py")

    assert re.search(
        r"^Loaded weights from /.*/configs/pipeline/rx_statistical\.pt$", printed, re.MULTILINE
    )
    assert "Outputs: 6 tensors" in printed
    assert "  decider.decisions: shape=(1, 64, 64, 1), dtype=bool, " in printed
    assert re.search(
        r"  detector\.scores: shape=\(1, 64, 64, 1\), dtype=float32, min=\d+\.\d", printed
    )
    assert printed.rstrip().endswith("Session closed.")


def test_complex_inputs(example):
    printed = example("complex_inputs_client.py")

    told = re.findall(r"^\d\) Inference with (.*)\n   outputs: \[(.*)\]$", printed, re.MULTILINE)
    assert [kind for kind, _ in told] == [
        *("bounding boxes", "points", "text prompt", "combined inputs")
    ]
    for _, keys in told:
        assert set(re.findall(r"'([^']+)'", keys)) == SELECTOR_KEYS


def test_run_inference_with_published_weights(example, output_dir, data_dir):
    weights = Path("configs", "pipeline", "anomaly", "rx", "channel_selector.pt")
    shutil.copy(source("cuvis-ai", "0.4.0") / weights, output_dir / "published_weights.pt")
    printed = example(
        "run_inference.py",
        *("--pipeline-path", weights.with_suffix(".yaml")),
        *("--weights-path", "published_weights.pt"),
        *("--cu3s-file-path", data_dir / "Lentils" / "Lentils_000.cu3s"),
        # It imports the published reader under a name that its release does not have.
        environment="cuvis-ai-0.4.0-full",
        imports=[cu3s.PYTHONPATH / "moved"],
    )

    assert re.search(r"  cube: shape=\[-1x-1x-1x-1\], dtype=\w+, required=True", printed)
    assert "Loading weights from published_weights.pt" in printed
    assert "Processed 7 measurements" in printed
    assert "Session closed." in printed
