"""An in-memory profiling store for tests."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from fleet_platform.profiling.profiling_store import ProfilingStore
from fleet_platform.profiling.timing_series import TimingSeries
from fleet_platform.profiling.timing_stats import TimingStats

_Key = tuple[int, str]


@dataclass(slots=True)
class _Profile:
    pipeline_digest: str
    expires_s: float = 0.0
    seen: Counter[_Key] = field(default_factory=Counter)
    series: defaultdict[_Key, TimingSeries] = field(
        default_factory=lambda: defaultdict(TimingSeries)
    )


class MemoryProfilingStore(ProfilingStore):
    """A `ProfilingStore` in a dictionary."""

    def __init__(self, ttl_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl_s = ttl_s
        self._clock = clock
        self._lock = threading.Lock()
        self._profiles: dict[str, _Profile] = {}

    @override
    def record(
        self,
        session_id: str,
        pipeline_digest: str,
        stage: int,
        durations_ms: Mapping[str, float],
        skip_first_n: int,
    ) -> None:
        with self._lock:
            profile = self._alive(session_id, pipeline_digest)
            if profile is None:
                profile = self._profiles[session_id] = _Profile(pipeline_digest)
            profile.expires_s = self._clock() + self._ttl_s
            for name, duration_ms in durations_ms.items():
                profile.seen[stage, name] += 1
                if profile.seen[stage, name] > skip_first_n:
                    profile.series[stage, name].add(duration_ms)

    @override
    def summary(self, session_id: str, pipeline_digest: str) -> list[TimingStats]:
        with self._lock:
            profile = self._alive(session_id, pipeline_digest)
            if profile is None:
                return []
            profile.expires_s = self._clock() + self._ttl_s
            return [series.stats(name, stage) for (stage, name), series in profile.series.items()]

    @override
    def reset(self, session_id: str) -> None:
        with self._lock:
            self._profiles.pop(session_id, None)

    def _alive(self, session_id: str, pipeline_digest: str) -> _Profile | None:
        now = self._clock()
        self._profiles = {
            known: profile for known, profile in self._profiles.items() if profile.expires_s > now
        }
        profile = self._profiles.get(session_id)
        return profile if profile and profile.pipeline_digest == pipeline_digest else None
