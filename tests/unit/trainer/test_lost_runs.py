import pytest

from fleet_platform.errors import DependencyDown
from fleet_platform.runs import MemoryRunStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1.records_pb2 import RUN_STATE_FAILED, RUN_STATE_RUNNING, RunRecord
from fleet_trainer import run_endings, train_messages
from fleet_trainer.lost_runs import LostRuns


class _Clock:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return _Clock()


@pytest.fixture
def runs(clock):
    store = MemoryRunStore(clock)
    store.create(RunRecord(format_version=1, run_id="run", session_id="session"))
    store.claim("run", "trainer-a")
    return store


@pytest.fixture
def lost(runs, clock):
    return LostRuns(runs, owner="trainer-b", lost_after_s=10.0, clock=clock)


def _look(clock, runs, lost, *, every_s, for_s):
    for _ in range(round(for_s / every_s)):
        lost.settle_if_lost(runs.read("run"))
        clock.now_s += every_s
    lost.settle_if_lost(runs.read("run"))


def test_a_run_without_a_sign_of_life_ends_with_a_clear_error(clock, runs, lost):
    _look(clock, runs, lost, every_s=1.0, for_s=10.0)

    run = runs.read("run")
    last = pb.TrainResponse.FromString(runs.latest("run").payload)
    assert run.state == RUN_STATE_FAILED
    assert run.error_reason == "DEPENDENCY_DOWN"
    assert last.status == pb.TRAIN_STATUS_ERROR
    assert "Call Train again" in last.message


def test_a_run_is_not_lost_before_its_time(clock, runs, lost):
    _look(clock, runs, lost, every_s=1.0, for_s=9.0)

    assert runs.read("run").state == RUN_STATE_RUNNING


def test_a_run_that_beats_is_never_lost(clock, runs, lost):
    for _ in range(60):
        _look(clock, runs, lost, every_s=1.0, for_s=1.0)
        assert runs.heartbeat("run", 1)

    assert runs.read("run").state == RUN_STATE_RUNNING


def test_an_outage_in_which_nobody_looked_does_not_lose_a_run(clock, runs, lost):
    _look(clock, runs, lost, every_s=1.0, for_s=3.0)
    clock.now_s += 60.0
    _look(clock, runs, lost, every_s=1.0, for_s=3.0)

    assert runs.read("run").state == RUN_STATE_RUNNING


def test_a_clock_of_another_host_does_not_matter(clock, runs, lost):
    far_away = runs.read("run")
    far_away.heartbeat_ms -= 3_600_000

    lost.settle_if_lost(far_away)

    assert runs.read("run").state == RUN_STATE_RUNNING


def test_a_run_that_ended_stays_as_it_ended(runs, lost):
    run = runs.read("run")
    runs.finish(
        run_endings.completed(run, "00"),
        train_messages.complete_statistical().SerializeToString(),
    )

    lost.settle("run", DependencyDown("too late"))

    assert runs.read("run").result_weights_digest == "00"


def test_a_run_that_is_forgotten_is_left_alone(runs, lost):
    lost.settle("never-was", DependencyDown("too late"))

    assert runs.read("run").state == RUN_STATE_RUNNING
