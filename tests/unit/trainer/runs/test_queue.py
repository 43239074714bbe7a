import pytest

from fleet_platform.errors import Exhausted
from fleet_platform.testing import MemoryRunStore
from fleet_proto.records.v1.records_pb2 import RUN_STATE_CANCELLED, RUN_STATE_RUNNING, RunRecord
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.runs.queue import RunQueue
from tests.unit.trainer.pool_double import PoolDouble


class _World:
    def __init__(self, *, free=1, bound=2):
        self.runs = MemoryRunStore()
        self.pool = PoolDouble(free)
        self.queue = RunQueue(runs=self.runs, pool=self.pool, owner="host:1", bound=bound)

    def create(self, run_id):
        self.runs.create(RunRecord(format_version=1, run_id=run_id, session_id=run_id))
        return run_id

    def admit(self, run_id):
        self.queue.admit(self.create(run_id))


def test_a_run_is_claimed_in_the_name_of_the_child_that_takes_it():
    world = _World()

    world.admit("a")

    assert world.pool.taken == [Assignment("a", 1)]
    run = world.runs.read("a")
    assert (run.owner, run.state) == ("host:1:1000", RUN_STATE_RUNNING)


def test_runs_wait_in_their_order_and_one_too_many_is_refused():
    world = _World(free=1, bound=2)
    for run_id in ("a", "b", "c"):
        world.admit(run_id)

    with pytest.raises(Exhausted, match="2 trainings wait"):
        world.admit("d")

    assert [world.queue.ahead_of(run_id) for run_id in ("a", "b", "c")] == [None, 0, 1]
    world.pool.free = 1
    world.queue.take_up()
    assert [held.run_id for held in world.pool.taken] == ["a", "b"]
    assert world.queue.ahead_of("c") == 0


def test_children_are_made_ready_for_what_waits():
    world = _World(free=0)
    world.admit("a")
    world.admit("b")

    assert world.pool.expected == 2


def test_a_slot_whose_child_is_not_warm_yet_counts_as_free():
    world = _World(free=1, bound=0)
    world.pool.work_on = lambda _claim: False

    world.admit("a")

    assert world.queue.ahead_of("a") == 0
    with pytest.raises(Exhausted):
        world.admit("b")


def test_a_free_trainer_takes_up_what_waits_at_a_busy_one():
    busy = _World(free=0)
    busy.admit("a")
    pool = PoolDouble(1)

    waiting = RunQueue(runs=busy.runs, pool=pool, owner="host:2", bound=2).take_up()

    assert waiting == []
    assert pool.taken == [Assignment("a", 1)]
    assert busy.queue.take_up() == []


def test_a_run_that_another_was_faster_to_take_is_left_to_it(monkeypatch):
    world = _World()
    world.create("a")
    listed = world.runs.active()
    world.runs.claim("a", "another")
    monkeypatch.setattr(world.runs, "active", lambda: listed)

    assert world.queue.take_up() == []

    assert world.pool.taken == []
    assert world.runs.read("a").owner == "another"


def test_an_interrupted_run_goes_before_newer_ones():
    world = _World(free=1)
    world.admit("a")
    world.admit("b")
    world.runs.release("a", 1, died=True)
    world.pool.free = 1

    world.queue.take_up()

    assert world.pool.taken[-1] == Assignment("a", 3)
    assert world.queue.ahead_of("b") == 0


def test_a_cancelled_run_does_not_wait():
    world = _World(free=0)
    world.admit("a")
    world.admit("b")
    world.runs.cancel_queued(RunRecord(run_id="a", state=RUN_STATE_CANCELLED), b"")

    assert world.queue.ahead_of("a") is None
    assert world.queue.ahead_of("b") == 0
