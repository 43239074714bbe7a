"""Waiting for one of a limited number of slots."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from fleet_platform.errors import Exhausted
from fleet_platform.rpc.call import Call


@contextmanager
def acquire_slot(
    slots: Lock | BoundedSemaphore, call: Call, *, limit_s: float, busy: Exhausted
) -> Iterator[None]:
    """Hold one of the limited slots for the duration of the block.

    Args:
        slots: Lock or semaphore that limits how many calls enter the block.
        call: The call that waits; the block is not entered if the call ends first.
        limit_s: Longest wait in seconds.
        busy: Raised if no slot becomes free within `limit_s`.

    Raises:
        Exhausted: `busy`.
        Cancelled, DeadlinePassed: the call ended while it waited.
    """
    acquired = slots.acquire(timeout=call.max_wait_s(limit_s))
    try:
        call.check()
        if not acquired:
            raise busy
        yield
    finally:
        if acquired:
            slots.release()
