"""Trainers that die, or are replaced, while a client follows its training."""

import os
import signal

import grpc
import pytest

from tests.e2e.resilience.followed_run import FollowedRun
from tests.support.killable_fleet import TRAINERS, Fleet
from tests.support.polling import wait_until

pytestmark = pytest.mark.e2e

PROMPTLY_S = 60.0


def _signalled(fleet: Fleet, first, number: signal.Signals) -> dict[str, int]:
    """Send it to every trainer; the client's stream has ended. Process ids that they had."""
    first.wait_for(5)
    pids = {name: fleet.stack.part(name)["pid"] for name in TRAINERS}
    for pid in pids.values():
        os.kill(pid, number)
    wait_until(lambda: first.has_ended, "the stream ends", PROMPTLY_S)
    return pids


def _followed_again(run: FollowedRun, first):
    second = run.follow_again()
    second.wait_for(len(first.messages) + 5)
    run.stop()
    run.assert_gapless(first, second)
    return second


def test_a_client_whose_trainers_die_attaches_again_and_misses_nothing(fleet: Fleet, calls):
    run = FollowedRun(fleet, calls)
    first = run.follow()
    pids = _signalled(fleet, first, signal.SIGKILL)
    # HTTP/2 has no other end for a stream that had begun.
    assert first.error.code() is grpc.StatusCode.INTERNAL
    assert "RST_STREAM" in first.error.details()

    assert "Started again" in _followed_again(run, first).texts
    for name, pid in pids.items():
        fleet.wait_replaced(name, pid)


def test_a_client_whose_trainers_are_replaced_is_told_to_come_again(fleet: Fleet, calls):
    run = FollowedRun(fleet, calls)
    first = run.follow()
    pids = _signalled(fleet, first, signal.SIGTERM)
    assert first.error.code() is grpc.StatusCode.UNAVAILABLE
    assert "Train again" in first.error.details()

    _followed_again(run, first)
    for name, pid in pids.items():
        fleet.wait_replaced(name, pid)
