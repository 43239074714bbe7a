"""Runs outlive workers and trainers; of two owners only the newer one can write."""

import signal

import grpc
import psutil
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_trainer.runs import outcomes
from tests.integration.trainer.trainer_process import END_WITHIN_S, TrainerProcess
from tests.support.polling import wait_until
from tests.support.training_client import TrainingClient, read, read_until

# Each trainer and each worker imports torch and Lightning, which takes a minute if busy.
END_S = 300.0
EPOCHS = 30


def _status(client):
    try:
        return client.status().status
    except grpc.RpcError:
        return None


def _wait_for_end(client):
    wait_until(lambda: _status(client) == pb.TRAIN_STATUS_COMPLETE, "the end", END_S)


def _all_messages(client):
    entries = client.runs.tail(client.session.run_id, wait_s=0.1)
    return [pb.TrainResponse.FromString(entry.payload) for entry in entries]


def _resumed_epochs(messages):
    return [m.context.epoch for m in messages if m.message.startswith("Resumed from epoch")]


@pytest.fixture(scope="module")
def whole(folder, redis_server, stores):
    """The result of the gradient training without an interruption."""
    with TrainerProcess(folder, redis_server.url) as trainer:
        client = TrainingClient(trainer.wait_serving().stub, stores)
        client.apply_gradient(max_epochs=EPOCHS)
        assert read(client.train_gradient())[1] is None
        return client.session.pipeline


def test_another_trainer_resumes_the_run_of_a_killed_one_bit_for_bit(
    folder, redis_server, stores, whole
):
    with (
        TrainerProcess(folder, redis_server.url) as first,
        TrainerProcess(folder, redis_server.url) as second,
    ):
        second.wait_serving()
        client = TrainingClient(first.wait_serving().stub, stores)
        client.apply_gradient(max_epochs=EPOCHS)
        read_until(client.train_gradient(), "Epoch 5/")
        children = _workers_of(first, second, client)

        for process in children:
            process.kill()
        client.stub = second.stub
        attached = client.train_gradient()
        _wait_for_end(client)
        messages, error = read(attached)

    assert error is None
    assert client.session.pipeline == whole
    assert messages == _all_messages(client)
    assert _resumed_epochs(messages)[0] >= 4
    statuses = [message.status for message in messages]
    assert [each for each in statuses if each != pb.TRAIN_STATUS_RUNNING] == [
        pb.TRAIN_STATUS_COMPLETE
    ]


def test_a_trainer_that_is_suspended_until_its_run_has_ended_changes_nothing(
    folder, redis_server, stores, whole
):
    with (
        TrainerProcess(folder, redis_server.url) as first,
        TrainerProcess(folder, redis_server.url) as second,
    ):
        second.wait_serving()
        client = TrainingClient(first.wait_serving().stub, stores)
        client.apply_gradient(max_epochs=EPOCHS)
        read_until(client.train_gradient(), "Epoch 3/")
        suspended = _workers_of(first, second, client)
        is_first = suspended[-1].pid == first.process.pid
        resumed, other_trainer = (first, second) if is_first else (second, first)
        client.stub = other_trainer.stub

        for process in suspended:
            process.suspend()
        _wait_for_end(client)
        ended, messages = client.run, _all_messages(client)
        client.sessions.update(
            client.session_id, lambda r: setattr(r.pipeline, "weights_digest", "ab" * 32)
        )
        assert other_trainer.end(signal.SIGTERM) == 0
        for process in suspended:
            process.resume()
        # Its only slot becomes free once it notices that the old run has another owner.
        other = TrainingClient(resumed.stub, stores)
        resumed.wait_serving()
        other.apply()
        assert read(other.train(within_s=END_S))[1] is None

        assert ended.result == whole
        assert client.run == ended
        assert _all_messages(client) == messages
        assert client.session.pipeline.weights_digest == "ab" * 32


def test_the_same_trainer_resumes_after_its_restart(folder, redis_server, stores, whole):
    with TrainerProcess(folder, redis_server.url) as trainer:
        client = TrainingClient(trainer.wait_serving().stub, stores)
        client.apply_gradient(max_epochs=EPOCHS)
        read_until(client.train_gradient(), "Epoch 8/")
        assert trainer.end(signal.SIGTERM) == 0
    assert client.run.attempts == 0

    with TrainerProcess(folder, redis_server.url) as trainer:
        client.stub = trainer.wait_serving().stub
        _wait_for_end(client)

    assert client.session.pipeline == whole
    assert _resumed_epochs(_all_messages(client))[0] >= 7


def test_the_workers_of_a_killed_trainer_exit_and_release_their_run_at_once(
    folder, redis_server, stores
):
    with TrainerProcess(folder, redis_server.url) as first:
        client = TrainingClient(first.wait_serving().stub, stores)
        client.apply()
        next(client.train_long(passes=200))
        token = client.run.fencing_token
        children = first.children()
        first.process.kill()

        # Its worker releases it, so that no other trainer has to detect that it is stale.
        wait_until(lambda: client.run.fencing_token > token, "the run is released", END_WITHIN_S)
        assert psutil.wait_procs(children, END_WITHIN_S)[1] == []
    assert client.runs.cancel_queued(outcomes.cancelled(client.run), b"")


def test_a_free_trainer_claims_a_run_that_waits_at_a_busy_one(folder, redis_server, stores):
    with (
        TrainerProcess(folder, redis_server.url) as first,
        TrainerProcess(folder, redis_server.url) as second,
    ):
        second.wait_serving()
        stub = first.wait_serving().stub
        clients = [TrainingClient(stub, stores) for _ in range(3)]
        streams = []
        for client in clients:
            client.apply()
            streams.append(client.train_long(passes=200))
            next(streams[-1])
        wait_until(
            lambda: [bool(client.run.owner) for client in clients].count(True) == 2,
            "two of three are executed",
            END_WITHIN_S,
        )
        owners = {client.run.owner.split(":")[1] for client in clients if client.run.owner}
        assert owners == {str(first.process.pid), str(second.process.pid)}
        for client in clients:
            assert client.stop().accepted
        for stream in streams:
            assert read(stream)[0][-1].status == pb.TRAIN_STATUS_CANCELLED


def _workers_of(first, second, client):
    """The processes that execute the client's run: the workers of a trainer, then the trainer."""
    pid = int(client.run.owner.split(":")[1])
    trainer = next(each for each in (first, second) if each.process.pid == pid)
    return [*trainer.children(), psutil.Process(pid)]
