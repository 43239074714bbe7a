"""Prevents one caller from occupying all threads of a replica."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from fleet_platform.caller import Caller
from fleet_platform.errors import Exhausted

_RETRY_AFTER_S = 1


class PerCallerConcurrencyLimit:
    """Limits how many calls of each caller run at once.

    A caller is identified by its authenticated name or, if the gateway does not authenticate, by
    its address. Calls that bypass the gateway have neither and are not limited.
    """

    def __init__(self, max_calls: int | None) -> None:
        """Allow `max_calls` at once per caller; None: no limit."""
        self._max_calls = max_calls
        self._running: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def around(self, caller: Caller) -> Iterator[None]:
        """Count one call while it runs.

        Raises:
            Exhausted: the caller has reached the limit.
        """
        name = caller.identity or caller.address
        if self._max_calls is None or not name:
            yield
            return
        with self._lock:
            if self._running[name] >= self._max_calls:
                raise Exhausted(
                    f"You already have {self._max_calls} calls running on this replica, the "
                    f"per-caller limit; try again in {_RETRY_AFTER_S} s.",
                    retry_after_s=_RETRY_AFTER_S,
                )
            self._running[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[name] -= 1
                if not self._running[name]:
                    del self._running[name]
