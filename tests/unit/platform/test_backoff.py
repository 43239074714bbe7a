"""The pauses of an exponential backoff."""

import math

from fleet_platform.backoff import Backoff


def test_pauses_double_up_to_the_longest():
    backoff = Backoff(first_s=0.1, max_s=0.5)
    assert [backoff.next_s() for _ in range(5)] == [0.1, 0.2, 0.4, 0.5, 0.5]
    assert backoff.attempts == 5


def test_a_reset_starts_again_with_the_first_pause():
    backoff = Backoff(first_s=0.1, max_s=0.5)
    backoff.next_s()
    backoff.next_s()
    backoff.reset()
    assert backoff.attempts == 0
    assert backoff.next_s() == 0.1


def test_many_failures_do_not_overflow():
    backoff = Backoff(first_s=0.1, max_s=30.0)
    assert all(math.isfinite(backoff.next_s()) for _ in range(5000))
