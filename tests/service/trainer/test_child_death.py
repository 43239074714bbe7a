import os
import signal

import grpc

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.service.trainer.training_client import CALL_WITHIN_S, read
from tests.support.polling import wait_until


def _pid_of(trainer, client):
    return next(
        pid for pid, run_id in trainer.pool.pids().items() if run_id == client.session.run_id
    )


def test_a_killed_child_ends_its_run_and_nothing_else(client, trainer):
    client.apply()
    stream = client.train_long()
    next(stream)

    os.kill(_pid_of(trainer, client), signal.SIGKILL)
    messages, error = read(stream)

    assert messages[-1].status == pb.TRAIN_STATUS_ERROR
    assert "killed by signal 9" in messages[-1].message
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert error.details() == messages[-1].message
    assert client.session.pipeline.weights_digest == ""

    messages, error = read(client.train())
    assert error is None
    assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE


def test_a_killed_idle_child_is_replaced(client, trainer):
    (before,) = trainer.pool.pids()

    os.kill(before, signal.SIGKILL)

    wait_until(
        lambda: list(trainer.pool.pids()) not in ([], [before]), "another child", CALL_WITHIN_S
    )
    client.apply()
    assert read(client.train())[1] is None


def test_a_child_that_hangs_is_seen_lost_and_told(client, trainer):
    client.apply()
    stream = client.train_long()
    next(stream)
    pid = _pid_of(trainer, client)

    os.kill(pid, signal.SIGSTOP)
    try:
        messages, error = read(stream)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert messages[-1].status == pb.TRAIN_STATUS_ERROR
    assert "is gone" in messages[-1].message
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    # What wakes up late is fenced out: it changes neither the run nor the session.
    assert read(client.train())[0][-1].status == pb.TRAIN_STATUS_COMPLETE
    assert client.session.pipeline.weights_digest == client.run.result_weights_digest


def test_a_child_that_hangs_for_good_does_not_block_its_slot(client, trainer):
    client.apply()
    stream = client.train_long()
    next(stream)

    os.kill(_pid_of(trainer, client), signal.SIGSTOP)

    assert read(stream)[1].code() is grpc.StatusCode.UNAVAILABLE
    assert read(client.train())[0][-1].status == pb.TRAIN_STATUS_COMPLETE
