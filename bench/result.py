"""One line of the table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """The result of one measurement.

    Attributes:
        case: cube and requested outputs.
        target: the server.
        clients: number of concurrent clients.
        calls: number of timed calls.
        p50_ms: median.
        p99_ms: 99th percentile; the slowest call if there are fewer than a hundred.
        ratio: median over that of the echo of the same bytes through Envoy; None without one.
    """

    case: str
    target: str
    clients: int
    calls: int
    p50_ms: float
    p99_ms: float
    ratio: float | None = None


def summarise(
    case: str,
    target: str,
    clients: int,
    seconds: Sequence[float],
    relative_to: Result | None = None,
) -> Result:
    """Reduce the seconds of the calls to a result."""
    p50_ms = percentile(seconds, 50) * 1e3
    return Result(
        case=case,
        target=target,
        clients=clients,
        calls=len(seconds),
        p50_ms=p50_ms,
        p99_ms=percentile(seconds, 99) * 1e3,
        ratio=p50_ms / relative_to.p50_ms if relative_to else None,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile, which is always one of the values."""
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(rank, 1) - 1]
