import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.training_client import read, read_until, timed


def test_a_gradient_training_from_the_first_message_to_the_pipeline(client):
    client.apply_gradient(max_epochs=3)

    times_ms, messages = zip(*timed(client.train_gradient()), strict=True)

    assert messages[0].message == "Gradient training"
    assert messages[-1].message.startswith("Gradient training complete")
    assert [message.status for message in messages] == [pb.TRAIN_STATUS_RUNNING] * (
        len(messages) - 1
    ) + [pb.TRAIN_STATUS_COMPLETE]
    ends = [m for m in messages if m.event.hook == pb.TRAIN_HOOK_VALIDATION_END]
    assert [(m.context.stage, m.context.epoch) for m in ends] == [
        (pb.EXECUTION_STAGE_VAL, epoch) for epoch in range(3)
    ]
    assert all({"train_loss", "val_loss"} <= m.losses.keys() for m in ends)
    assert all("metrics_anomaly/iou" in m.metrics for m in ends)
    assert client.session.pipeline == client.run.result
    assert client.status() == messages[-1]
    print(f"first message {times_ms[0]:.0f} ms, COMPLETE {times_ms[-1]:.0f} ms")


def test_no_epoch_boundary_is_lost_and_progress_is_thinned_out(client):
    client.apply_gradient(max_epochs=40)

    times_ms, messages = zip(*timed(client.train_gradient()), strict=True)

    hooks = [message.event.hook for message in messages]
    assert hooks.count(pb.TRAIN_HOOK_EPOCH_START) == hooks.count(pb.TRAIN_HOOK_EPOCH_END) == 40
    assert hooks.count(pb.TRAIN_HOOK_VALIDATION_END) == 40
    thinned = (
        pb.TRAIN_HOOK_TRAIN_PROGRESS,
        pb.TRAIN_HOOK_VALIDATION_START,
        pb.TRAIN_HOOK_VALIDATION_PROGRESS,
    )
    assert sum(hook in thinned for hook in hooks) <= times_ms[-1] / 1000 * 10 + 1


def test_a_second_client_attaches_without_settings(client):
    client.apply_gradient(max_epochs=30)
    first = client.train_gradient()
    head = read_until(first, "Epoch 1/30")

    second, error = read(client.train_gradient())

    assert error is None
    assert [*head, *first] == second


def test_another_kind_of_training_is_refused_until_the_first_has_ended(client):
    client.apply_gradient(max_epochs=30)
    stream = client.train_gradient()
    next(stream)

    messages, error = read(client.train())

    assert messages == []
    assert error.code().name == "FAILED_PRECONDITION"
    assert "TRAINER_TYPE_GRADIENT" in error.details()
    assert read(stream)[1] is None


def test_training_continues_from_the_previous_weights_and_a_statistical_one_refits(client):
    client.apply_gradient(max_epochs=2)
    assert read(client.train_gradient())[1] is None
    first = client.session.pipeline
    assert read(client.train_gradient())[1] is None
    assert client.session.pipeline.weights_digest not in {"", first.weights_digest}

    assert read(client.train_as(pb.TRAINER_TYPE_STATISTICAL))[1] is None
    assert read(client.train_as(pb.TRAINER_TYPE_CALIBRATION))[1] is None
    assert read(client.train_gradient())[1] is None


def test_settings_of_the_request_take_precedence_over_the_sessions(client):
    client.apply_gradient(max_epochs=50)
    request = pb.TrainRequest(session_id=client.session_id, trainer_type=pb.TRAINER_TYPE_GRADIENT)
    request.training.config_bytes = b'{"max_epochs": 2, "accelerator": "cpu"}'

    messages, error = read(client.stub.Train(request, timeout=300.0))

    assert error is None
    assert messages[-1].context.epoch == 2
    assert b'"max_epochs":2' in client.session.training_config_json


@pytest.mark.parametrize(
    ("lists", "changes", "text"),
    [
        ({"loss_nodes": []}, {}, "loss_nodes is empty"),
        ({"loss_nodes": ["bze"]}, {}, "bze"),
        ({"metric_nodes": ["sample_metrics"]}, {}, "sample_metrics"),
        ({"freeze_nodes": ["none"]}, {}, "freeze_nodes"),
        ({"unfreeze_nodes": ["none"]}, {}, "unfreeze_nodes"),
        ({}, {"optimizer": {"name": "rmsprop"}}, "adamw"),
        ({}, {"scheduler": {"name": "linear"}}, "cosine"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_a_run_is_created(
    client, lists, changes, text
):
    client.apply_gradient(lists=lists, **changes)

    messages, error = read(client.train_gradient())

    assert messages == []
    assert error.code().name == "INVALID_ARGUMENT"
    assert text in error.details()
    assert client.session.run_id == ""


def test_the_pipeline_names_frozen_nodes_and_the_trainrun_unfreezes_them(client):
    client.apply_gradient(frozen_nodes=["none"])
    _, error = read(client.train_gradient())
    assert error.code().name == "INVALID_ARGUMENT"
    assert "freeze_nodes names none" in error.details()

    client.apply_gradient(frozen_nodes=["RXGlobal"], max_epochs=1)
    assert read(client.train_gradient())[1] is None


def test_a_calibration_needs_trained_weights(client):
    client.apply_gradient()

    messages, error = read(client.train_as(pb.TRAINER_TYPE_CALIBRATION))

    assert messages == []
    assert error.code().name == "FAILED_PRECONDITION"
