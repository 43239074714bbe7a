"""Concurrent callers share one execution."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fleet_platform.single_flight import SingleFlight

WITHIN_S = 120.0


def started_work(outcome, flights, pool):
    """Start a first caller's work, which ends when the event is set."""
    started, release = threading.Event(), threading.Event()

    def work():
        started.set()
        assert release.wait(WITHIN_S)
        return outcome()

    first = pool.submit(flights.run, "key", work)
    assert started.wait(WITHIN_S)
    return first, release


def never():
    raise AssertionError("the work runs already")


def fail():
    raise ValueError("broken")


@pytest.mark.parametrize("outcome", [lambda: 7, fail])
def test_a_second_caller_gets_the_outcome_of_the_first(outcome):
    flights: SingleFlight[str, int] = SingleFlight()
    waits = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first, release = started_work(outcome, flights, pool)
        second = pool.submit(flights.run, "key", never, on_wait=waits.set)
        assert waits.wait(WITHIN_S)
        release.set()
        assert repr(first.exception(WITHIN_S)) == repr(second.exception(WITHIN_S))
        if first.exception() is None:
            assert first.result() == second.result() == 7


def test_other_keys_do_not_wait():
    flights: SingleFlight[str, int] = SingleFlight()
    with ThreadPoolExecutor(1) as pool:
        _, release = started_work(lambda: 1, flights, pool)
        assert flights.run("other", lambda: 2) == 2
        release.set()


def test_a_wait_is_limited():
    flights: SingleFlight[str, int] = SingleFlight()
    with ThreadPoolExecutor(1) as pool:
        first, release = started_work(lambda: 1, flights, pool)
        with pytest.raises(TimeoutError):
            flights.run("key", never, wait_s=0.01)
        release.set()
        assert first.result(WITHIN_S) == 1


def test_nothing_is_kept():
    flights: SingleFlight[str, int] = SingleFlight()
    with pytest.raises(ValueError, match="broken"):
        flights.run("key", fail)
    assert [flights.run("key", lambda value=value: value) for value in (1, 2)] == [1, 2]
