import pytest

from fleet_platform.errors import DependencyDown
from fleet_platform.runs import MemoryRunStore
from fleet_platform.sessions import MemorySessionStore
from fleet_proto.records.v1.records_pb2 import (
    RUN_STATE_FAILED,
    RUN_STATE_QUEUED,
    RunRecord,
    SessionRecord,
)
from fleet_trainer.lost_runs import LostRuns
from fleet_trainer.run_watch import RunWatch


class _World:
    def __init__(self):
        self.now_s = 1000.0
        self.held = ["run"]
        self.killed = []
        self.runs = MemoryRunStore(self.clock)
        self.runs.create(RunRecord(format_version=1, run_id="run", session_id="session"))
        self.sessions = MemorySessionStore(ttl_s=20.0, clock=self.clock)
        self.sessions.create(SessionRecord(format_version=1, session_id="session"))
        self.lost = LostRuns(self.runs, owner="me", lost_after_s=10.0, clock=self.clock)
        self.watch = RunWatch(
            held=lambda: self.held,
            kill=self.killed.append,
            runs=self.runs,
            sessions=self.sessions,
            lost=self.lost,
            every_s=1.0,
            lost_after_s=10.0,
            clock=self.clock,
        )

    def clock(self):
        return self.now_s

    def look_for(self, seconds):
        for _ in range(seconds):
            self.watch.look()
            self.now_s += 1.0
        self.watch.look()


@pytest.fixture
def world():
    return _World()


def test_a_run_that_waits_long_stays_alive_and_so_does_its_session(world):
    for _ in range(40):
        world.look_for(1)
        world.lost.settle_if_lost(world.runs.read("run"))

    assert world.runs.read("run").state == RUN_STATE_QUEUED
    assert world.sessions.read("session").session_id == "session"


def test_a_run_whose_child_fell_silent_is_settled_without_any_client(world):
    world.runs.claim("run", "child")

    world.look_for(11)

    assert world.runs.read("run").state == RUN_STATE_FAILED
    assert world.killed == []


def test_a_child_that_goes_on_long_after_its_run_ended_is_killed(world):
    world.lost.settle("run", DependencyDown("lost"))

    world.look_for(9)
    assert world.killed == []
    world.look_for(1)

    assert world.killed == ["run"]


def test_a_child_that_let_go_of_its_run_is_left_alone(world):
    world.lost.settle("run", DependencyDown("lost"))
    world.look_for(5)
    world.held = []

    world.look_for(20)

    assert world.killed == []


def test_a_store_that_is_away_does_not_end_the_watch(world, monkeypatch):
    def away(_run_id, _token):
        raise DependencyDown("away")

    with monkeypatch.context() as patch:
        patch.setattr(world.runs, "heartbeat", away)
        world.look_for(2)

    world.look_for(1)
    assert world.runs.read("run").heartbeat_ms > 0
