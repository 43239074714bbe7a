"""Calls of Train with one key follow one training, each from its first message."""

import threading

import grpc
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_trainer.runs.key import run_id_of
from tests.support.polling import wait_until
from tests.support.training_client import CALL_WITHIN_S, read, read_until

KEY, OTHER = "first-key-of-a-client", "other-key-of-a-client"


def named(
    client, key=KEY, *, follow_only=False, trainer_type=pb.TRAINER_TYPE_STATISTICAL, data=b""
):
    """Return the stream of a call that names its training."""
    metadata = [("x-fleet-training-key", key)] if key is not None else []
    if follow_only:
        metadata.append(("x-fleet-training-begun", "yes"))
    request = pb.TrainRequest(session_id=client.session_id, trainer_type=trainer_type)
    if data:
        request.data.config_bytes = data
    return client.stub.Train(request, metadata=metadata, timeout=CALL_WITHIN_S)


def long(passes=10):
    frames = ",".join(str(number) for number in list(range(80)) * passes)
    return b'{"cu3s_file_path":"long.npz","train_ids":[%s]}' % frames.encode()


def without_waiting(result):
    """Return the messages without those about the queue."""
    messages, error = result
    return [each for each in messages if "queued," not in each.message], error


def key_of(stream):
    return dict(stream.initial_metadata())["x-fleet-training-key"]


def refused(stream):
    messages, error = read(stream)
    assert messages == []
    return error.code(), error.details()


def test_an_ended_training_is_streamed_again_and_not_repeated(client):
    client.apply()
    first, error = read(named(client))
    assert error is None
    assert first[-1].status == pb.TRAIN_STATUS_COMPLETE
    run_id, weights = client.session.run_id, client.session.pipeline.weights_digest

    again = named(client)

    assert read(again) == (first, None)
    assert key_of(again) == KEY
    assert client.session.run_id == run_id
    assert client.session.pipeline.weights_digest == weights
    newer, _ = read(named(client, OTHER))
    assert newer[-1].status == pb.TRAIN_STATUS_COMPLETE
    assert client.session.run_id != run_id
    assert read(named(client)) == (first, None)


def test_a_failed_training_is_streamed_again_with_its_status(client):
    client.apply()
    missing = b'{"cu3s_file_path":"missing.npz","train_ids":[0]}'
    first, error = read(named(client, data=missing))
    assert first[-1].status == pb.TRAIN_STATUS_ERROR

    again, same = read(named(client, data=missing))

    assert again == first
    assert (same.code(), same.details()) == (error.code(), error.details())
    assert same.code() is grpc.StatusCode.NOT_FOUND


def test_a_cancelled_training_is_streamed_again(client):
    client.apply()
    stream = named(client, data=long(200))
    head = read_until(stream, "Fitted normalizer")
    assert client.stop().accepted
    rest, error = read(stream)
    assert error is None

    assert read(named(client)) == (head + rest, None)
    assert rest[-1].status == pb.TRAIN_STATUS_CANCELLED


def test_a_client_that_calls_again_receives_what_it_missed(client):
    client.apply()
    stream = named(client, data=long())
    head = [next(stream), next(stream)]
    stream.cancel()
    wait_until(lambda: client.status().status == pb.TRAIN_STATUS_COMPLETE, "the end", CALL_WITHIN_S)

    messages, error = read(named(client, follow_only=True))

    assert error is None
    assert messages[:2] == head
    assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE
    assert len(messages) > 10


def test_concurrent_calls_with_one_key_create_one_run(client):
    client.apply()
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(read(named(client)))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(CALL_WITHIN_S)

    assert client.session.run_id == run_id_of(client.session_id, KEY)
    stored = read(named(client))
    assert stored[1] is None
    assert [each.message for each in stored[0]].count("Starting statistical training") == 1
    assert [without_waiting(result) for result in results] == [stored] * 6


def test_a_call_with_another_key_attaches_and_receives_the_key_of_the_training(client):
    client.apply()
    first = named(client, data=long())
    next(first)

    second = named(client, OTHER)
    unnamed = client.train()
    next(second)
    next(unnamed)

    assert key_of(second) == key_of(unnamed) == KEY
    assert read(first)[1] is None
    assert read(second)[1] is None


def test_a_training_without_a_key_gets_one(client):
    client.apply()
    stream = client.train()
    first, error = read(stream)
    assert error is None

    assert read(named(client, key_of(stream), follow_only=True)) == (first, None)


def test_the_newest_training_is_followed_without_its_key_and_none_is_launched(client):
    client.apply()
    code, text = refused(named(client, None, follow_only=True))
    assert code is grpc.StatusCode.NOT_FOUND
    assert "kept for a day" in text
    assert client.session.run_id == ""
    first, _ = read(client.train())

    unspecified = pb.TRAINER_TYPE_UNSPECIFIED
    assert read(named(client, None, follow_only=True, trainer_type=unspecified)) == (first, None)
    assert read(named(client, None, follow_only=True)) == (first, None)
    code, _ = refused(named(client, None, follow_only=True, trainer_type=pb.TRAINER_TYPE_GRADIENT))
    assert code is grpc.StatusCode.FAILED_PRECONDITION


def test_following_an_expired_training_does_not_launch_another(client):
    client.apply()

    code, _ = refused(named(client, follow_only=True))

    assert code is grpc.StatusCode.NOT_FOUND
    assert client.session.run_id == ""


def test_a_key_keeps_its_kind_of_training(client):
    client.apply()
    read(named(client))

    code, text = refused(named(client, trainer_type=pb.TRAINER_TYPE_GRADIENT))

    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "was TRAINER_TYPE_STATISTICAL" in text


@pytest.mark.parametrize("key", ["", "short", "a" * 65, "with a space in it", "dots.are.not.in.it"])
def test_a_malformed_key_is_refused_before_a_run_is_created(client, key):
    client.apply()

    code, text = refused(named(client, key))

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "16 to 64 letters, digits, '-' or '_'" in text
    assert client.session.run_id == ""


def test_two_keys_in_one_call_are_malformed(client):
    client.apply()
    metadata = (("x-fleet-training-key", KEY), ("x-fleet-training-key", OTHER))
    request = pb.TrainRequest(
        session_id=client.session_id, trainer_type=pb.TRAINER_TYPE_STATISTICAL
    )

    code, _ = refused(client.stub.Train(request, metadata=metadata, timeout=CALL_WITHIN_S))

    assert code is grpc.StatusCode.INVALID_ARGUMENT


def test_a_key_that_was_rejected_by_a_full_queue_launches_later(client, settings):
    others = [type(client)(client.stub, settings) for _ in range(2)]
    for each in (client, *others):
        each.apply()
    running = client.train_long()
    next(running)
    waiting = others[0].train()
    next(waiting)
    assert refused(named(others[1]))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert read(running)[1] is None
    assert read(waiting)[1] is None

    messages, error = read(named(others[1]))

    assert error is None
    assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE
    assert [m.status for m in messages].count(pb.TRAIN_STATUS_ERROR) == 0
