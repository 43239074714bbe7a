import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_trainer.runs import messages


def _context(message):
    context = message.context
    return context.stage, context.epoch, context.batch_idx, context.global_step


def test_a_statistical_run_starts_and_ends_as_published_clients_expect():
    first, last = messages.starting_statistical(), messages.complete_statistical()

    assert first.message == "Starting statistical training"
    assert first.status == pb.TRAIN_STATUS_RUNNING
    assert _context(first) == (pb.EXECUTION_STAGE_TRAIN, 0, 0, 0)
    assert not first.HasField("event")
    assert last.message == "Statistical training complete"
    assert last.status == pb.TRAIN_STATUS_COMPLETE
    assert _context(last) == (pb.EXECUTION_STAGE_TRAIN, 1, 0, 1)


@pytest.mark.parametrize(
    ("message", "hook", "text", "done"),
    [
        (messages.node_started("RX", 3), "STATISTICAL_NODE_START", "Fitting RX (0/3)", 0),
        (messages.node_progressed("RX", 2, 3), "STATISTICAL_PROGRESS", "Fitting RX (2/3)", 2),
        (messages.node_ended("RX", 3, 3), "STATISTICAL_NODE_END", "Fitted RX", 3),
    ],
)
def test_the_progress_of_a_node_is_in_the_text_and_in_the_event(message, hook, text, done):
    assert message.message == text
    assert message.status == pb.TRAIN_STATUS_RUNNING
    assert _context(message) == (pb.EXECUTION_STAGE_TRAIN, 0, 0, 0)
    assert pb.TrainHook.Name(message.event.hook) == f"TRAIN_HOOK_{hook}"
    assert message.event.node == "RX"
    assert (message.event.progress.done, message.event.progress.total) == (done, 3)


def test_only_the_three_endings_are_terminal():
    endings = [
        messages.complete_statistical(),
        messages.complete_gradient(3, 7, ""),
        messages.complete_calibration(""),
        messages.failed("why"),
        messages.cancelled("why"),
    ]
    others = [
        messages.starting_statistical(),
        messages.node_ended("RX", 3, 3),
        messages.waiting(0, interrupted=True),
        messages.resumed(3),
        messages.started_again(),
        messages.no_activity(),
    ]

    assert all(messages.is_terminal(message) for message in endings)
    assert not any(messages.is_terminal(message) for message in others)


def test_a_gradient_run_ends_as_published_clients_expect():
    plain = messages.complete_gradient(20, 60, "")
    calibrated = messages.complete_gradient(20, 60, "thresholds calibrated on val: d (t 1)")

    assert _context(plain) == (pb.EXECUTION_STAGE_TRAIN, 20, 0, 60)
    assert plain.message == "Gradient training complete"
    assert calibrated.message == (
        "Gradient training complete; thresholds calibrated on val: d (t 1)"
    )


def test_a_waiting_run_has_status_running_and_reports_its_place():
    message = messages.waiting(2, interrupted=False)

    assert message.status == pb.TRAIN_STATUS_RUNNING
    assert message.message == "Waiting for a free training slot: queued, 2 ahead"


def test_a_resumed_run_reports_its_epoch():
    message = messages.resumed(4)

    assert (message.message, message.context.epoch) == ("Resumed from epoch 4", 4)
    assert message.status == pb.TRAIN_STATUS_RUNNING
