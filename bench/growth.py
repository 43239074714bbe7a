"""Growth of the resources of a process, by slopes that are robust against outliers."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MIB = 1024 * 1024
_MAX_POINTS = 300
"""Maximum number of points that are compared pairwise; more are thinned out evenly."""


@dataclass(frozen=True)
class Sample:
    """The resources of a process at one moment.

    Attributes:
        at_s: time in seconds, from any fixed moment.
        rss_bytes: memory in use.
        fds: open file descriptors.
        threads: number of threads.
    """

    at_s: float
    rss_bytes: int
    fds: int
    threads: int


@dataclass(frozen=True)
class Bounds:
    """How much a process may grow.

    Attributes:
        mib_per_minute: memory.
        handles: file descriptors, and threads, over the whole time.
    """

    mib_per_minute: float = 1.0
    handles: float = 3.0


@dataclass(frozen=True)
class Growth:
    """The change in the resources of a process while it was observed.

    Attributes:
        process: name of the process.
        minutes: from the first sample to the last.
        rss_mib: memory at the end, the median of the last tenth of the samples.
        mib_per_minute: slope of its memory.
        fds: growth of its open file descriptors over the whole time.
        threads: growth of its threads over the whole time.
    """

    process: str
    minutes: float
    rss_mib: float
    mib_per_minute: float
    fds: float
    threads: float

    def excess(self, bounds: Bounds) -> list[str]:
        """Return the resources that grew too much."""
        found = {
            "memory": self.mib_per_minute > bounds.mib_per_minute,
            "file descriptors": self.fds > bounds.handles,
            "threads": self.threads > bounds.handles,
        }
        return [what for what, is_too_much in found.items() if is_too_much]


def growth_of(process: str, samples: Sequence[Sample]) -> Growth:
    """Reduce at least two samples of a process, in chronological order."""
    minutes = [sample.at_s / 60 for sample in samples]
    lasted = minutes[-1] - minutes[0]
    return Growth(
        process=process,
        minutes=lasted,
        rss_mib=statistics.median(
            sample.rss_bytes / MIB for sample in samples[-max(1, len(samples) // 10) :]
        ),
        mib_per_minute=_slope(minutes, [sample.rss_bytes / MIB for sample in samples]),
        fds=_slope(minutes, [float(sample.fds) for sample in samples]) * lasted,
        threads=_slope(minutes, [float(sample.threads) for sample in samples]) * lasted,
    )


def _slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Return the median of the slopes between any two points (Theil 1950, Sen 1968)."""
    step = -(-len(times) // _MAX_POINTS)
    points = list(zip(times, values, strict=True))[::step]
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for index, earlier in enumerate(points)
        for later in points[index + 1 :]
        if later[0] > earlier[0]
    ]
    return statistics.median(slopes)
