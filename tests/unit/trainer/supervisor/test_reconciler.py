import threading

import pytest

from fleet_platform.errors import DependencyDown
from fleet_platform.testing import MemoryArtifactStore, MemoryRunStore, MemorySessionStore
from fleet_proto.records.v1.records_pb2 import (
    RUN_STATE_CANCELLED,
    RUN_STATE_QUEUED,
    RUN_STATE_RUNNING,
    RunRecord,
    SessionRecord,
)
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.runs.queue import RunQueue
from fleet_trainer.supervisor.reconciler import RunReconciler
from fleet_trainer.supervisor.recovery import RunRecovery
from fleet_trainer.supervisor.stale import StaleRunDetector
from tests.support.polling import wait_until
from tests.unit.trainer.fake_executor import FakeExecutor


class _Trainer:
    def __init__(self):
        self.now_s = 1000.0
        self.executor = FakeExecutor(free=0)
        self.wake = threading.Event()
        self.runs = MemoryRunStore(self.clock)
        self.runs.create(RunRecord(format_version=1, run_id="run", session_id="session"))
        self.sessions = MemorySessionStore(ttl_s=20.0, clock=self.clock)
        self.sessions.create(SessionRecord(format_version=1, session_id="session"))
        self.reconciler = RunReconciler(
            executor=self.executor,
            queue=RunQueue(runs=self.runs, executor=self.executor, owner="me", limit=8),
            runs=self.runs,
            sessions=self.sessions,
            stale=StaleRunDetector(lost_after_s=10.0, clock=self.clock),
            recovery=RunRecovery(self.runs, MemoryArtifactStore()),
            interval_s=1000.0,
            lost_after_s=10.0,
            wake=self.wake,
            clock=self.clock,
        )

    def clock(self):
        return self.now_s

    def reconcile_for(self, seconds):
        for _ in range(seconds):
            self.reconciler.reconcile()
            self.now_s += 1.0
        self.reconciler.reconcile()

    @property
    def run(self):
        return self.runs.read("run")


@pytest.fixture
def trainer():
    return _Trainer()


def test_a_long_waiting_run_and_its_session_stay_alive(trainer):
    trainer.reconcile_for(40)

    assert trainer.run.state == RUN_STATE_QUEUED
    assert trainer.run.heartbeat_ms == int(trainer.now_s * 1000)
    assert trainer.sessions.read("session").session_id == "session"


def test_a_waiting_run_starts_as_soon_as_a_worker_is_free(trainer):
    trainer.reconcile_for(2)
    assert trainer.executor.expected == 1
    trainer.executor.free = 1

    trainer.reconciler.reconcile()

    assert trainer.executor.started == [Assignment("run", 1)]


def test_a_run_whose_trainer_fell_silent_is_resumed_here(trainer):
    trainer.runs.claim("run", "another trainer")
    trainer.executor.free = 1

    trainer.reconcile_for(9)
    assert trainer.run.owner == "another trainer"
    trainer.reconcile_for(1)

    assert (trainer.run.state, trainer.run.owner) == (RUN_STATE_RUNNING, "me:1000")
    assert trainer.executor.started == [Assignment("run", 3)]
    assert trainer.run.attempts == 2


def test_a_run_whose_trainer_fell_silent_waits_if_no_worker_is_free(trainer):
    trainer.runs.claim("run", "another trainer")

    trainer.reconcile_for(10)

    assert trainer.run.state == RUN_STATE_QUEUED


def test_a_silent_worker_of_this_trainer_is_killed(trainer):
    trainer.executor.free = 1
    trainer.reconciler.reconcile()

    trainer.reconcile_for(10)

    assert trainer.executor.killed == [Assignment("run", 1)]
    # Its death, which the pool reports, returns the run to the queue.
    assert trainer.run.fencing_token == 1


def test_a_worker_that_continues_long_after_its_run_ended_is_killed(trainer):
    trainer.executor.free = 1
    trainer.reconciler.reconcile()
    trainer.runs.finish(RunRecord(run_id="run", fencing_token=1, state=RUN_STATE_CANCELLED), b"")

    trainer.reconcile_for(9)
    assert trainer.executor.killed == []
    trainer.reconcile_for(1)

    assert trainer.executor.killed == [Assignment("run", 1)]


def test_a_worker_that_continues_long_after_its_run_was_taken_over_is_killed(trainer):
    trainer.executor.free = 1
    trainer.reconciler.reconcile()
    trainer.runs.claim("run", "another trainer")

    for _ in range(10):
        trainer.reconcile_for(1)
        trainer.runs.heartbeat("run", 2)

    assert trainer.executor.killed == [Assignment("run", 1)]
    assert trainer.run.owner == "another trainer"


def test_a_worker_that_finished_its_ended_run_is_not_killed(trainer):
    trainer.executor.started = [Assignment("ended", 1)]
    trainer.reconcile_for(5)
    trainer.executor.started = []

    trainer.reconcile_for(20)

    assert trainer.executor.killed == []


def test_the_reconciler_wakes_on_request_and_survives_an_unavailable_store(trainer, monkeypatch):
    polls = []

    def away():
        polls.append(1)
        raise DependencyDown("away")

    monkeypatch.setattr(trainer.runs, "active", away)
    trainer.reconciler.start()
    wait_until(lambda: len(polls) == 1, "the first reconciliation", 10.0)
    trainer.wake.set()
    wait_until(lambda: len(polls) == 2, "a reconciliation on request", 10.0)

    trainer.reconciler.close()
