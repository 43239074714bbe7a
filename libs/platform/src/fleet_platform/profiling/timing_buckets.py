"""A histogram of durations that yields their median without storing all of them.

Bucket i counts the durations in ``(g^(i-1), g^i]`` milliseconds, with ``g = (1 + a) / (1 - a)`` and
``a = 0.01``: the value ``2 g^i / (g + 1)`` differs by at most 1 % from each of them (DDSketch,
Masson et al. 2019, section 2). Counts from several replicas can be added. There are 1032 buckets
from a microsecond to a quarter of an hour; the outermost ones include everything beyond.
"""

import math
from collections.abc import Mapping

_ACCURACY = 0.01
_GROWTH = (1 + _ACCURACY) / (1 - _ACCURACY)
_MIN_MS, _MAX_MS = 1e-3, 9e5


def bucket_of(duration_ms: float) -> int:
    """Return the bucket of a duration in milliseconds."""
    within = min(max(duration_ms, _MIN_MS), _MAX_MS)
    return math.ceil(math.log(within, _GROWTH))


def median_of(counts: Mapping[int, int], min_ms: float, max_ms: float) -> float:
    """Return the median within 1 %; for an even number, the mean of the two middle durations.

    Args:
        counts: Number of durations by bucket; at least one is positive.
        min_ms: The exact shortest duration.
        max_ms: The exact longest duration.
    """
    last = sum(counts.values()) - 1
    middles = (_at(counts, last // 2), _at(counts, last - last // 2))
    return sum(min(max(middle, min_ms), max_ms) for middle in middles) / 2


def _at(counts: Mapping[int, int], rank: int) -> float:
    """Return the duration at a rank, counted from 0."""
    passed = 0
    for bucket in sorted(counts):
        passed += counts[bucket]
        if passed > rank:
            return float(2 * _GROWTH**bucket / (_GROWTH + 1))
    raise ValueError("no durations were counted")
