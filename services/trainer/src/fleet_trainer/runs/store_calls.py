"""Waiting out a short failure of a store, so that it does not cost a training."""

import time
from collections.abc import Callable
from typing import TypeVar

from fleet_platform.errors import DependencyDown

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0

Answer = TypeVar("Answer")


def patiently(ask: Callable[[], Answer], patience_s: float = 30.0) -> Answer:
    """Ask again while a dependency is down.

    Args:
        ask: Repeated until it returns or raises anything but `DependencyDown`.
        patience_s: After this many seconds its `DependencyDown` is raised.
    """
    deadline_s = time.monotonic() + patience_s
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return ask()
        except DependencyDown:
            if time.monotonic() + pause_s > deadline_s:
                raise
        time.sleep(pause_s)
        pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
