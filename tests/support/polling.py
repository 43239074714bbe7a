"""Waiting for something to become true, with a deadline."""

import time
from collections.abc import Callable

_PAUSE_S = 0.05


def wait_until(check: Callable[[], object], what: str, timeout_s: float = 120.0) -> float:
    """Call `check` until it returns a true value; return the seconds that it took.

    Raises:
        AssertionError: it is still false at the deadline; the text names `what` was awaited.
    """
    started = time.monotonic()
    while not check():
        if time.monotonic() - started > timeout_s:
            raise AssertionError(f"not within {timeout_s} s: {what}")
        time.sleep(_PAUSE_S)
    return time.monotonic() - started
