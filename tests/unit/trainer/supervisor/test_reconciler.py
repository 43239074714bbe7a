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
from fleet_trainer.supervisor.reconciler import RunWatch
from fleet_trainer.supervisor.recovery import InterruptedRuns
from fleet_trainer.supervisor.stale import LostRuns
from tests.support.polling import wait_until
from tests.unit.trainer.pool_double import PoolDouble


class _World:
    def __init__(self):
        self.now_s = 1000.0
        self.pool = PoolDouble(free=0)
        self.wake = threading.Event()
        self.runs = MemoryRunStore(self.clock)
        self.runs.create(RunRecord(format_version=1, run_id="run", session_id="session"))
        self.sessions = MemorySessionStore(ttl_s=20.0, clock=self.clock)
        self.sessions.create(SessionRecord(format_version=1, session_id="session"))
        self.watch = RunWatch(
            pool=self.pool,
            queue=RunQueue(runs=self.runs, pool=self.pool, owner="me", bound=8),
            runs=self.runs,
            sessions=self.sessions,
            lost=LostRuns(lost_after_s=10.0, clock=self.clock),
            interrupted=InterruptedRuns(self.runs, MemoryArtifactStore()),
            every_s=1000.0,
            lost_after_s=10.0,
            wake=self.wake,
            clock=self.clock,
        )

    def clock(self):
        return self.now_s

    def look_for(self, seconds):
        for _ in range(seconds):
            self.watch.look()
            self.now_s += 1.0
        self.watch.look()

    @property
    def run(self):
        return self.runs.read("run")


@pytest.fixture
def world():
    return _World()


def test_a_run_that_waits_long_stays_alive_and_so_does_its_session(world):
    world.look_for(40)

    assert world.run.state == RUN_STATE_QUEUED
    assert world.run.heartbeat_ms == int(world.now_s * 1000)
    assert world.sessions.read("session").session_id == "session"


def test_a_waiting_run_is_taken_up_as_soon_as_a_child_is_free(world):
    world.look_for(2)
    assert world.pool.expected == 1
    world.pool.free = 1

    world.watch.look()

    assert world.pool.taken == [Assignment("run", 1)]


def test_a_run_whose_trainer_fell_silent_is_taken_up_here(world):
    world.runs.claim("run", "another trainer")
    world.pool.free = 1

    world.look_for(9)
    assert world.run.owner == "another trainer"
    world.look_for(1)

    assert (world.run.state, world.run.owner) == (RUN_STATE_RUNNING, "me:1000")
    assert world.pool.taken == [Assignment("run", 3)]
    assert world.run.attempts == 2


def test_a_run_whose_trainer_fell_silent_waits_where_nobody_is_free(world):
    world.runs.claim("run", "another trainer")

    world.look_for(10)

    assert world.run.state == RUN_STATE_QUEUED


def test_a_child_of_its_own_that_fell_silent_is_killed(world):
    world.pool.free = 1
    world.watch.look()

    world.look_for(10)

    assert world.pool.killed == [Assignment("run", 1)]
    # Its end, of which the pool tells, gives the run back.
    assert world.run.fencing_token == 1


def test_a_child_that_goes_on_long_after_its_run_ended_is_killed(world):
    world.pool.free = 1
    world.watch.look()
    world.runs.finish(RunRecord(run_id="run", fencing_token=1, state=RUN_STATE_CANCELLED), b"")

    world.look_for(9)
    assert world.pool.killed == []
    world.look_for(1)

    assert world.pool.killed == [Assignment("run", 1)]


def test_a_child_that_goes_on_long_after_its_run_was_taken_over_is_killed(world):
    world.pool.free = 1
    world.watch.look()
    world.runs.claim("run", "another trainer")

    for _ in range(10):
        world.look_for(1)
        world.runs.heartbeat("run", 2)

    assert world.pool.killed == [Assignment("run", 1)]
    assert world.run.owner == "another trainer"


def test_a_child_that_let_go_of_its_run_is_left_alone(world):
    world.pool.taken = [Assignment("ended", 1)]
    world.look_for(5)
    world.pool.taken = []

    world.look_for(20)

    assert world.pool.killed == []


def test_the_watch_wakes_when_it_is_told_and_survives_a_store_that_is_away(world, monkeypatch):
    looks = []

    def away():
        looks.append(1)
        raise DependencyDown("away")

    monkeypatch.setattr(world.runs, "active", away)
    world.watch.start()
    wait_until(lambda: len(looks) == 1, "the first look", 10.0)
    world.wake.set()
    wait_until(lambda: len(looks) == 2, "a look when woken", 10.0)

    world.watch.close()
