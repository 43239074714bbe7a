import os
import signal

import grpc

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_trainer.supervisor.recovery import MAX_ATTEMPTS
from tests.support.polling import wait_until
from tests.support.training_client import CALL_WITHIN_S, read, read_until

# Each worker that replaces a killed one has to import torch and Lightning first.
FAILS_WITHIN_S = 300.0


def _pid_of(trainer, client, but=()):
    """Wait until a worker executes the client's run; return its process id."""
    found = []

    def started():
        run_id = client.session.run_id
        found[:] = [pid for pid, executed in trainer.pool.pids().items() if executed == run_id]
        return found and found[0] not in but

    wait_until(started, "a worker executes the run", CALL_WITHIN_S)
    return found[0]


def _terminal(messages):
    return [message for message in messages if message.status != pb.TRAIN_STATUS_RUNNING]


def test_a_run_whose_worker_is_killed_continues_in_the_same_stream(client, trainer):
    client.apply()
    stream = client.train_long()
    next(stream)

    os.kill(_pid_of(trainer, client), signal.SIGKILL)
    messages, error = read(stream)

    assert error is None
    texts = [message.message for message in messages]
    assert texts.count("Started again") == 1
    assert _terminal(messages) == [messages[-1]]
    assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE
    assert client.session.pipeline.weights_digest == client.run.result_weights_digest != ""


def test_a_gradient_run_whose_worker_is_killed_ends_with_the_same_bits(client, trainer):
    client.apply_gradient(max_epochs=12)
    assert read(client.train_gradient())[1] is None
    whole = client.session.pipeline
    client.apply_gradient(max_epochs=12)
    assert client.session.pipeline != whole
    stream = client.train_gradient()
    before = read_until(stream, "Epoch 5/12 complete")

    os.kill(_pid_of(trainer, client), signal.SIGKILL)
    after, error = read(stream)

    assert error is None
    assert client.session.pipeline == whole
    resumed = [m.context.epoch for m in after if m.message.startswith("Resumed from epoch")]
    assert len(resumed) == 1
    assert resumed[0] >= 4, "no more than one epoch of work is lost"
    assert _terminal([*before, *after]) == [after[-1]]


def test_a_run_that_kills_its_workers_fails_with_the_cause(client, trainer):
    client.apply()
    stream = client.train_long(passes=200, within_s=FAILS_WITHIN_S)
    killed = set()
    for _ in range(MAX_ATTEMPTS):
        pid = _pid_of(trainer, client, killed)
        killed.add(pid)
        os.kill(pid, signal.SIGKILL)
    messages, error = read(stream)

    assert _terminal(messages) == [messages[-1]]
    assert messages[-1].status == pb.TRAIN_STATUS_ERROR
    assert "killed by signal 9" in messages[-1].message
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert error.details() == messages[-1].message
    assert client.status() == messages[-1]
    assert client.session.pipeline.weights_digest == ""

    messages, error = read(client.train())
    assert error is None
    assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE


def test_a_killed_idle_worker_is_replaced(client, trainer):
    wait_until(lambda: None in trainer.pool.pids().values(), "an idle worker", CALL_WITHIN_S)
    (before,) = trainer.pool.pids()

    os.kill(before, signal.SIGKILL)

    wait_until(
        lambda: list(trainer.pool.pids()) not in ([], [before]), "another worker", CALL_WITHIN_S
    )
    client.apply()
    assert read(client.train())[1] is None


def test_a_worker_that_hangs_is_killed_and_its_run_continues(client, trainer):
    client.apply()
    stream = client.train_long()
    next(stream)
    pid = _pid_of(trainer, client)

    os.kill(pid, signal.SIGSTOP)
    messages, error = read(stream)

    assert error is None
    assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE
    assert pid not in trainer.pool.pids()
    assert client.session.pipeline.weights_digest == client.run.result_weights_digest
    assert read(client.train())[0][-1].status == pb.TRAIN_STATUS_COMPLETE
