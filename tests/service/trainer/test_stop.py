import uuid

import grpc
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1.records_pb2 import RUN_STATE_CANCELLED
from tests.support.polling import wait_until
from tests.support.training_client import CALL_WITHIN_S, read, read_until

LAST_STEP = "Training cancelled; the pipeline holds the state of the last completed step"


def _terminal(messages):
    return [message for message in messages if message.status != pb.TRAIN_STATUS_RUNNING]


def test_an_unknown_session_is_not_found(client):
    request = pb.StopTrainRequest(session_id=str(uuid.uuid4()))

    with pytest.raises(grpc.RpcError) as refused:
        client.stub.StopTrain(request, timeout=CALL_WITHIN_S)

    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_stop_between_two_trainings_cancels_the_next_one_before_it_starts(client):
    client.apply()
    assert read(client.train())[0][-1].status == pb.TRAIN_STATUS_COMPLETE
    weights = client.session.pipeline.weights_digest

    reply = client.stop()
    messages, error = read(client.train())

    assert reply.accepted
    assert "No training runs" in reply.message
    assert error is None
    assert [message.status for message in messages] == [pb.TRAIN_STATUS_CANCELLED]
    assert client.status() == messages[-1]
    assert client.run.state == RUN_STATE_CANCELLED
    assert client.session.pipeline.weights_digest == weights
    assert read(client.train())[0][-1].status == pb.TRAIN_STATUS_COMPLETE


def test_a_trainrun_applied_after_the_stop_is_trained(client):
    client.apply()
    assert client.stop().accepted

    client.apply()

    assert read(client.train())[0][-1].status == pb.TRAIN_STATUS_COMPLETE


def test_a_statistical_training_stops_and_keeps_its_fitted_nodes(client):
    client.apply()
    stream = client.train_long(passes=200)
    read_until(stream, "Fitted normalizer")

    assert client.stop().accepted
    messages, error = read(stream)

    assert error is None
    assert _terminal(messages) == [messages[-1]]
    assert (messages[-1].status, messages[-1].message) == (pb.TRAIN_STATUS_CANCELLED, LAST_STEP)
    assert client.status() == messages[-1]
    assert client.run.state == RUN_STATE_CANCELLED
    assert client.session.pipeline.weights_digest == client.run.result_weights_digest != ""


def test_a_stopped_gradient_training_can_be_continued_by_another(client):
    client.apply_gradient(max_epochs=5000)
    stream = client.train_gradient()
    read_until(stream, "Epoch 2/")

    assert client.stop().accepted
    messages, error = read(stream)

    assert error is None
    assert (messages[-1].status, messages[-1].message) == (pb.TRAIN_STATUS_CANCELLED, LAST_STEP)
    kept = client.session.pipeline.weights_digest
    assert kept == client.run.result_weights_digest != ""
    client.sessions.update(
        client.session_id, lambda r: setattr(r, "training_config_json", b'{"max_epochs":1}')
    )
    assert read(client.train_gradient())[1] is None
    assert client.session.pipeline.weights_digest != kept


def test_a_waiting_training_is_cancelled_at_once(client, settings):
    running = type(client)(client.stub, settings)
    running.apply()
    busy = running.train_long(passes=200)
    next(busy)
    client.apply()
    waiting = client.train()
    message = next(waiting)
    assert message.message == "Waiting for a free training slot: queued, 0 ahead"
    assert client.status() == message

    assert client.stop().accepted

    messages, error = read(waiting)
    assert error is None
    assert [message.status for message in messages] == [pb.TRAIN_STATUS_CANCELLED]
    assert client.session.pipeline.weights_digest == ""
    assert running.status().status == pb.TRAIN_STATUS_RUNNING
    assert running.stop().accepted
    wait_until(
        lambda: running.status().status == pb.TRAIN_STATUS_CANCELLED, "the stop", CALL_WITHIN_S
    )
    read(busy)
