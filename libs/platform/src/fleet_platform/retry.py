"""Retrying an operation while a dependency is briefly unavailable."""

import time
from collections.abc import Callable
from typing import TypeVar

from fleet_platform.backoff import Backoff
from fleet_platform.errors import DependencyDown

_FIRST_PAUSE_S = 0.1
_MAX_PAUSE_S = 1.0

Result = TypeVar("Result")


def retry_while_unavailable(
    operation: Callable[[], Result],
    max_wait_s: float = 30.0,
    backoff: Backoff | None = None,
) -> Result:
    """Run `operation` and return its result, retrying it while it raises `DependencyDown`.

    Args:
        operation: Must be safe to repeat.
        max_wait_s: Seconds after which its `DependencyDown` is raised.
        backoff: Pauses between attempts; default: from 0.1 s up to 1 s.

    Raises:
        DependencyDown: the dependency was unavailable for `max_wait_s`.
    """
    deadline_s = time.monotonic() + max_wait_s
    pauses = backoff or Backoff(_FIRST_PAUSE_S, _MAX_PAUSE_S)
    while True:
        try:
            return operation()
        except DependencyDown:
            pause_s = pauses.next_s()
            if time.monotonic() + pause_s > deadline_s:
                raise
        time.sleep(pause_s)
