import pytest

from fleet_platform.testing import MemoryRunStore
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_trainer.supervisor.stale import LostRuns


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
def lost(clock):
    return LostRuns(lost_after_s=10.0, clock=clock)


def _look(clock, runs, lost, *, every_s, for_s):
    for _ in range(round(for_s / every_s)):
        lost.is_lost(runs.active()[0])
        clock.now_s += every_s
    return lost.is_lost(runs.active()[0])


def test_a_run_without_a_sign_of_life_is_lost_after_its_time_and_not_before(clock, runs, lost):
    assert not _look(clock, runs, lost, every_s=1.0, for_s=9.0)
    assert _look(clock, runs, lost, every_s=1.0, for_s=1.0)


def test_a_run_that_beats_is_never_lost(clock, runs, lost):
    for _ in range(60):
        assert not _look(clock, runs, lost, every_s=1.0, for_s=1.0)
        assert runs.heartbeat("run", 1)


def test_a_run_that_was_taken_up_again_has_all_its_time(clock, runs, lost):
    _look(clock, runs, lost, every_s=1.0, for_s=9.0)
    runs.release("run", 1, died=True)
    runs.claim("run", "trainer-b")

    assert not _look(clock, runs, lost, every_s=1.0, for_s=9.0)


def test_an_outage_in_which_nobody_looked_does_not_lose_a_run(clock, runs, lost):
    _look(clock, runs, lost, every_s=1.0, for_s=3.0)
    clock.now_s += 60.0

    assert not _look(clock, runs, lost, every_s=1.0, for_s=3.0)


def test_a_clock_of_another_host_does_not_matter(runs, lost):
    assert not lost.is_lost(runs.active()[0]._replace(heartbeat_ms=-3_600_000))
