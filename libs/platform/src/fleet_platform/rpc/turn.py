"""Waiting for one's turn at something that few calls may do at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from fleet_platform.errors import Exhausted
from fleet_platform.rpc.call import Call


@contextmanager
def turn(
    turns: Lock | BoundedSemaphore, call: Call, *, most_s: float, busy: Exhausted
) -> Iterator[None]:
    """Have a turn for as long as the block runs.

    Args:
        turns: who may have one.
        call: whose turn it is; what nobody waits for any more is not begun.
        most_s: how long to wait at most, in seconds.
        busy: what to raise when others had all turns for that long.

    Raises:
        Exhausted: that is `busy`.
        Cancelled, DeadlinePassed: nobody waits any more.
    """
    has_turn = turns.acquire(timeout=call.max_wait_s(most_s))
    try:
        call.check()
        if not has_turn:
            raise busy
        yield
    finally:
        if has_turn:
            turns.release()
