"""Gradient trainings of published releases' clients, in both shapes of their settings."""

import json

import numpy as np
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.support.wire import wire

pytestmark = [pytest.mark.e2e, pytest.mark.published]

SETTINGS = {
    "seed": 7,
    "optimizer": {"name": "adamw", "lr": 0.001},
    "trainer": {"max_epochs": 2},
}
"""What `clients/workflow.py` trains with."""


@pytest.fixture(scope="session")
def expected(stack, scene):
    """Losses of each epoch and outputs of the same training, asked for with our own messages."""
    with wire(stack.address) as calls:
        session_id = calls.session()
        calls.apply(session_id, calls.resolve(session_id, "trainrun", "trainrun/channel_selector"))
        calls.train(session_id)
        messages = calls.train(
            session_id,
            trainer_type=pb2.TRAINER_TYPE_GRADIENT,
            training=pb2.TrainingConfig(config_bytes=json.dumps(SETTINGS).encode()),
        )
        ports = calls.infer(session_id, scene.cubes[1:2], scene.wavelengths_nm[None, :])
        calls.call("CloseSession", session_id=session_id)
    losses = [dict(message.losses) for message in messages if _ends_epoch(message)]
    return losses, ports


def _ends_epoch(message):
    return message.event.hook == pb2.TRAIN_HOOK_EPOCH_END


def _epochs(workflow):
    """The messages that end an epoch, which older releases tell by their text alone."""
    return [each for each in workflow.facts["gradient"] if each["message"].startswith("Epoch ")]


def test_the_same_settings_train_the_same_in_every_shape(workflow, expected):
    losses, ports = expected
    assert [message["losses"] for message in _epochs(workflow)] == losses
    assert losses[1]["train_loss"] < losses[0]["train_loss"]
    outputs = {key.partition(".")[2]: array for key, array in workflow.arrays("gradient").items()}
    for port in ("scores", "logits", "weights"):
        np.testing.assert_array_equal(outputs[port], ports[port], err_msg=port)


def test_progress_has_the_fields_that_clients_read(workflow):
    messages = workflow.facts["gradient"]
    assert [message["status"] for message in messages] == [
        *["TRAIN_STATUS_RUNNING"] * (len(messages) - 1),
        "TRAIN_STATUS_COMPLETE",
    ]
    assert messages[-1]["message"].startswith("Gradient training complete")
    assert messages[-1]["epoch"] == 2
    assert [message["epoch"] for message in _epochs(workflow)] == [0, 1]
    for message in _epochs(workflow):
        assert {"total", "train_loss", "val_loss"} <= set(message["losses"])
        assert {"metrics_anomaly/iou", "metrics_anomaly/recall"} <= set(message["metrics"])
    stages = {message["stage"] for message in messages if message["losses"]}
    assert {"EXECUTION_STAGE_TRAIN", "EXECUTION_STAGE_VAL"} <= stages
    assert workflow.facts["gradient_status"] == "TRAIN_STATUS_COMPLETE"


def test_thresholds_are_calibrated_for_the_releases_that_know_of_it(workflow):
    last = workflow.facts["gradient"][-1]["message"]
    assert ("thresholds calibrated on val: BinaryDecider" in last) == workflow.release.is_flat
    if workflow.release.version != "0.14.2":
        return
    for told in ("gradient", "calibration"):
        hooks = [message.get("hook", "") for message in workflow.facts[told]]
        assert hooks[-2:] == ["TRAIN_HOOK_POST_FIT_END", ""], told
        (end,) = (each for each in workflow.facts[told] if each.get("thresholds"))
        assert end["hook"] == "TRAIN_HOOK_CALIBRATION_END"
        ((threshold,),) = end["thresholds"].values()
        assert f"{threshold:g}" in workflow.facts[told][-1]["message"]


def test_the_helpers_make_a_line_of_every_message(workflow):
    if workflow.release.version not in {"0.2.0", "0.14.2"}:
        assert not any("line" in message for message in workflow.facts["gradient"])
        return
    for message in workflow.facts["gradient"]:
        assert message["line"].startswith(f"[{message['stage']}] {message['status']}")
        assert message["line"].endswith(message["message"])


def test_a_training_is_stopped_after_its_first_losses(workflow):
    if workflow.release.number < (0, 9):
        assert "stopped" not in workflow.facts, "this release cannot stop a training"
        return
    stopped = workflow.facts["stopped"]
    assert stopped["accepted"] == [True]
    assert stopped["last"]["status"] == stopped["status"] == "TRAIN_STATUS_CANCELLED"
    assert "last completed step" in stopped["last"]["message"]


def test_nodes_are_profiled_for_the_releases_that_know_of_it(workflow):
    if workflow.release.number < (0, 3):
        assert "profile" not in workflow.facts
        return
    executed = {key.partition(".")[0] for key in workflow.arrays("profiled")}
    assert workflow.facts["profile"] == dict.fromkeys(executed, 1)


def test_the_documented_workflow_of_the_newest_release(workflow):
    if workflow.release.version == "0.14.2":
        assert workflow.facts["documented"] == ["DeepSVDD_Gradient", True]
