"""Detects runs whose owner no longer renews its lease."""

import time
from collections.abc import Callable

from fleet_platform.runs import ActiveRun


class StaleRunDetector:
    """Compares successive heartbeats of the runs that it is shown. Not thread-safe.

    Only this process's clock counts: a run is stale if this process has seen the same heartbeat for
    `lost_after_s` while polling at least every half of that time. Therefore neither hosts with
    different clocks nor an outage of the store, during which no heartbeat can be written or read,
    makes a run stale.
    """

    def __init__(self, *, lost_after_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lost_after_s = lost_after_s
        self._clock = clock
        # By run: its heartbeat, when this process saw that one first, and when last.
        self._seen: dict[str, tuple[tuple[int, int], float, float]] = {}

    def is_stale(self, run: ActiveRun) -> bool:
        """Return whether the owner of a running run has been silent for too long."""
        now_s = self._clock()
        fresh_s = now_s - self._lost_after_s / 2
        self._seen = {key: seen for key, seen in self._seen.items() if seen[2] >= fresh_s}
        heartbeat = (run.fencing_token, run.heartbeat_ms)
        seen_heartbeat, first_s, _ = self._seen.get(run.run_id, (heartbeat, now_s, now_s))
        if seen_heartbeat != heartbeat:
            first_s = now_s
        self._seen[run.run_id] = (heartbeat, first_s, now_s)
        return now_s - first_s >= self._lost_after_s
