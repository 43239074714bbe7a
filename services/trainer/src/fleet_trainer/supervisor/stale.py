"""How it is recognised that the owner of a run is gone."""

import time
from collections.abc import Callable

from fleet_platform.runs import ActiveRun


class LostRuns:
    """Watches the signs of life of the runs that it is shown; for one thread.

    Only this process's own clock counts: a run is lost when this process saw one and the same sign
    of life for `lost_after_s`, looking at least every half of that. So neither hosts whose clocks
    differ nor an outage of the store, in which nobody can give or see a sign, lose a run.
    """

    def __init__(self, *, lost_after_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lost_after_s = lost_after_s
        self._clock = clock
        # By run: its sign of life, when this process saw it first, and when last.
        self._seen: dict[str, tuple[tuple[int, int], float, float]] = {}

    def is_lost(self, run: ActiveRun) -> bool:
        """Whether a run that somebody works on has shown no sign of life for too long."""
        now_s = self._clock()
        fresh_s = now_s - self._lost_after_s / 2
        self._seen = {key: seen for key, seen in self._seen.items() if seen[2] >= fresh_s}
        sign = (run.fencing_token, run.heartbeat_ms)
        seen_sign, first_s, _ = self._seen.get(run.run_id, (sign, now_s, now_s))
        if seen_sign != sign:
            first_s = now_s
        self._seen[run.run_id] = (sign, first_s, now_s)
        return now_s - first_s >= self._lost_after_s
