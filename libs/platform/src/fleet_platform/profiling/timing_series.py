"""Running statistics of the timings of one node in one stage."""

import math
from collections import Counter
from dataclasses import dataclass, field

from fleet_platform.profiling.timing_buckets import bucket_of, median_of
from fleet_platform.profiling.timing_stats import TimingStats


@dataclass(slots=True)
class TimingSeries:
    """Sums by Welford's method (1962), which keeps its precision when the spread is small.

    Attributes:
        count: number of timed executions.
        mean_ms: mean duration.
        m2: sum of the squared distances from the mean.
        min_ms: shortest duration.
        max_ms: longest duration.
        total_ms: sum of all durations.
        last_ms: newest duration.
        buckets: number of durations in each bucket, see `bucket_of`.
    """

    count: int = 0
    mean_ms: float = 0.0
    m2: float = 0.0
    min_ms: float = math.inf
    max_ms: float = -math.inf
    total_ms: float = 0.0
    last_ms: float = 0.0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, duration_ms: float) -> None:
        """Add a duration."""
        self.count += 1
        distance = duration_ms - self.mean_ms
        self.mean_ms += distance / self.count
        self.m2 += distance * (duration_ms - self.mean_ms)
        self.min_ms = min(self.min_ms, duration_ms)
        self.max_ms = max(self.max_ms, duration_ms)
        self.total_ms += duration_ms
        self.last_ms = duration_ms
        self.buckets[bucket_of(duration_ms)] += 1

    def stats(self, node_name: str, stage: int) -> TimingStats:
        """Return the statistics; there must be at least one timing."""
        return TimingStats(
            node_name=node_name,
            stage=stage,
            count=self.count,
            mean_ms=self.mean_ms,
            median_ms=median_of(self.buckets, self.min_ms, self.max_ms),
            std_ms=math.sqrt(max(self.m2, 0.0) / self.count),
            min_ms=self.min_ms,
            max_ms=self.max_ms,
            total_ms=self.total_ms,
            last_ms=self.last_ms,
        )
