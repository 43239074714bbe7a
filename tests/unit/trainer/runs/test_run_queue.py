import pytest

from fleet_platform.errors import Exhausted
from fleet_platform.testing import MemoryRunStore
from fleet_proto.records.v1.records_pb2 import RUN_STATE_CANCELLED, RUN_STATE_RUNNING, RunRecord
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.runs.queue import RunQueue
from tests.unit.trainer.fake_executor import FakeExecutor


class _Trainer:
    def __init__(self, *, free=1, limit=2):
        self.runs = MemoryRunStore()
        self.executor = FakeExecutor(free)
        self.queue = RunQueue(runs=self.runs, executor=self.executor, owner="host:1", limit=limit)

    def create(self, run_id):
        self.runs.create(RunRecord(format_version=1, run_id=run_id, session_id=run_id))
        return run_id

    def admit(self, run_id):
        self.queue.admit(self.create(run_id))


def test_a_run_is_claimed_under_the_name_of_the_worker_that_executes_it():
    trainer = _Trainer()

    trainer.admit("a")

    assert trainer.executor.started == [Assignment("a", 1)]
    run = trainer.runs.read("a")
    assert (run.owner, run.state) == ("host:1:1000", RUN_STATE_RUNNING)


def test_runs_wait_in_their_order_and_one_above_the_limit_is_rejected():
    trainer = _Trainer(free=1, limit=2)
    for run_id in ("a", "b", "c"):
        trainer.admit(run_id)

    with pytest.raises(Exhausted, match="2 training runs are queued"):
        trainer.admit("d")

    assert [trainer.queue.ahead_of(run_id) for run_id in ("a", "b", "c")] == [None, 0, 1]
    trainer.executor.free = 1
    trainer.queue.dispatch()
    assert [held.run_id for held in trainer.executor.started] == ["a", "b"]
    assert trainer.queue.ahead_of("c") == 0


def test_workers_are_prepared_for_waiting_runs():
    trainer = _Trainer(free=0)
    trainer.admit("a")
    trainer.admit("b")

    assert trainer.executor.expected == 2


def test_a_slot_without_a_warm_worker_counts_as_free():
    trainer = _Trainer(free=1, limit=0)
    trainer.executor.has_worker = False

    trainer.admit("a")

    assert trainer.queue.ahead_of("a") == 0
    with pytest.raises(Exhausted):
        trainer.admit("b")


def test_a_free_trainer_claims_a_run_that_waits_at_a_busy_one():
    busy = _Trainer(free=0)
    busy.admit("a")
    executor = FakeExecutor(1)

    waiting = RunQueue(runs=busy.runs, executor=executor, owner="host:2", limit=2).dispatch()

    assert waiting == []
    assert executor.started == [Assignment("a", 1)]
    assert busy.queue.dispatch() == []


def test_a_run_that_another_trainer_claims_first_is_left_to_it(monkeypatch):
    trainer = _Trainer()
    trainer.create("a")
    listed = trainer.runs.active()
    trainer.runs.claim("a", "another")
    monkeypatch.setattr(trainer.runs, "active", lambda: listed)

    assert trainer.queue.dispatch() == []

    assert trainer.executor.started == []
    assert trainer.runs.read("a").owner == "another"


def test_an_interrupted_run_precedes_newer_ones():
    trainer = _Trainer(free=1)
    trainer.admit("a")
    trainer.admit("b")
    trainer.runs.release("a", 1, died=True)
    trainer.executor.free = 1

    trainer.queue.dispatch()

    assert trainer.executor.started[-1] == Assignment("a", 3)
    assert trainer.queue.ahead_of("b") == 0


def test_a_cancelled_run_does_not_wait():
    trainer = _Trainer(free=0)
    trainer.admit("a")
    trainer.admit("b")
    trainer.runs.cancel_queued(RunRecord(run_id="a", state=RUN_STATE_CANCELLED), b"")

    assert trainer.queue.ahead_of("a") is None
    assert trainer.queue.ahead_of("b") == 0
