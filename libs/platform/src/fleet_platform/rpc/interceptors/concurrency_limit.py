"""Keeps one caller from taking all threads of a replica."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from fleet_platform.caller import Caller
from fleet_platform.errors import Exhausted

_RETRY_AFTER_S = 1


class PerCallerConcurrencyLimit:
    """Bounds the calls of each caller that run at once.

    A caller is whom the gateway vouches for or, where it does not authenticate, an address. A call
    that came past the gateway tells neither and is let through.
    """

    def __init__(self, most: int | None) -> None:
        """Allow `most` calls at once; None: any number."""
        self._most = most
        self._running: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def around(self, caller: Caller) -> Iterator[None]:
        """Count one call while it runs.

        Raises:
            Exhausted: the caller has as many calls running as it may.
        """
        name = caller.identity or caller.address
        if self._most is None or not name:
            yield
            return
        with self._lock:
            if self._running[name] >= self._most:
                raise Exhausted(
                    f"{self._most} calls of yours run here already, as many as one caller may have;"
                    f" try again in {_RETRY_AFTER_S} s.",
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
