import pytest

from fleet_platform.testing import MemoryRunStore
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_trainer.supervisor.stale import StaleRunDetector


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
def detector(clock):
    return StaleRunDetector(lost_after_s=10.0, clock=clock)


def _poll(clock, runs, detector, *, every_s, for_s):
    for _ in range(round(for_s / every_s)):
        detector.is_stale(runs.active()[0])
        clock.now_s += every_s
    return detector.is_stale(runs.active()[0])


def test_a_run_without_heartbeats_is_stale_after_the_limit_and_not_before(clock, runs, detector):
    assert not _poll(clock, runs, detector, every_s=1.0, for_s=9.0)
    assert _poll(clock, runs, detector, every_s=1.0, for_s=1.0)


def test_a_run_with_heartbeats_is_never_stale(clock, runs, detector):
    for _ in range(60):
        assert not _poll(clock, runs, detector, every_s=1.0, for_s=1.0)
        assert runs.heartbeat("run", 1)


def test_a_run_with_a_new_owner_has_the_full_time_again(clock, runs, detector):
    _poll(clock, runs, detector, every_s=1.0, for_s=9.0)
    runs.release("run", 1, died=True)
    runs.claim("run", "trainer-b")

    assert not _poll(clock, runs, detector, every_s=1.0, for_s=9.0)


def test_an_outage_without_polls_makes_no_run_stale(clock, runs, detector):
    _poll(clock, runs, detector, every_s=1.0, for_s=3.0)
    clock.now_s += 60.0

    assert not _poll(clock, runs, detector, every_s=1.0, for_s=3.0)


def test_the_clocks_of_other_hosts_do_not_matter(runs, detector):
    assert not detector.is_stale(runs.active()[0]._replace(heartbeat_ms=-3_600_000))
