"""The gRPC examples on the data that they write."""

import re

import numpy as np
import pytest

pytestmark = pytest.mark.e2e

COMPLETE = "[EXECUTION_STAGE_TRAIN] TRAIN_STATUS_COMPLETE"


@pytest.fixture(scope="module")
def workflow(example, example_stack):
    """The output of the complete workflow, whose saved files other examples use."""
    return example("grpc/complete_workflow_client.py", example_stack.address)


def test_statistical_training(example, example_stack):
    printed = example("grpc/statistical_training_client.py", example_stack.address)

    assert "Trainrun rx_statistical on examples/synthetic.npz" in printed
    assert printed.count(COMPLETE) == 1
    assert re.search(r"RXGlobal\.scores: float32\[1, 32, 32, 1\], mean \d", printed)


def test_gradient_training_with_an_override(example, example_stack):
    printed = example(
        *("grpc/gradient_training_client.py", example_stack.address),
        "training.trainer.max_epochs=2",
    )

    statistical, gradient = printed.split("Gradient training\n", 1)
    assert "losses deepsvdd_loss" in statistical
    assert COMPLETE in statistical
    assert COMPLETE in gradient
    assert re.search(r"STAGE_VAL\] TRAIN_STATUS_RUNNING \| losses: .*metrics_anomaly/iou", gradient)


def test_complete_workflow(workflow, example_dir):
    assert workflow.count(COMPLETE) == 2
    for name in ("channel_selector.yaml", "channel_selector.pt", "channel_selector_trainrun.yaml"):
        assert (example_dir / "outputs" / "examples" / name).stat().st_size
    found = re.search(r"median: targets ([\d.]+), background ([\d.]+)", workflow)
    assert found is not None, workflow
    assert float(found[1]) > 2 * float(found[2])


def test_inference_with_the_shipped_fitted_pipeline(example, example_stack):
    printed = example("grpc/run_inference.py", "--server-address", example_stack.address)

    assert re.search(r"^Weights: /.*/pipeline/rx_statistical\.pt$", printed, re.MULTILINE)
    assert "'detector.scores': [1, 128, 128, 1]" in printed


def test_inference_with_a_saved_pipeline_on_a_file(example, example_stack, example_dir, workflow):
    printed = example(
        *("grpc/run_inference.py", example_dir / "data" / "examples" / "synthetic.npz"),
        *("--server-address", example_stack.address, "--output-dir", example_dir / "scores"),
        *("--pipeline-path", "examples/channel_selector.yaml"),
        *("--weights-path", "examples/channel_selector.pt"),
    )

    assert printed.count("'RXGlobal.scores': [1, 64, 64, 1]") == 4
    with np.load(example_dir / "scores" / "synthetic_3.npz") as written:
        assert set(written) == {"RXGlobal.scores", "BinaryDecider.decisions"}
        assert np.isfinite(written["RXGlobal.scores"]).all()


@pytest.mark.parametrize(
    ("mode", "stages"),
    [("info", set()), ("train", {"TRAIN", "VAL", "TEST"}), ("validate", {"VAL"})],
)
def test_restored_trainrun(example, example_stack, workflow, mode, stages):
    printed = example(
        *("grpc/restore_trainrun_grpc.py", "--mode", mode),
        *("--server-address", example_stack.address),
    )

    assert set(re.findall(r"EXECUTION_STAGE_(\w+)\]", printed)) == stages
    if mode == "info":
        assert "  cube: any[-1, -1, -1, -1] (required)" in printed
        assert "  RXGlobal.scores" not in printed  # connected, so not an output of the graph
