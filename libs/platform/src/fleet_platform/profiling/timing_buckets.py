"""Counts durations by size, so that a median can be told without keeping them all.

Bucket i holds what lies in ``(g^(i-1), g^i]`` milliseconds, with ``g = (1 + a) / (1 - a)`` and
``a = 0.01``: the value ``2 g^i / (g + 1)`` is off by at most 1 % from all of them (DDSketch, Masson
et al. 2019, section 2). Counts of several replicas simply add. From a microsecond to a quarter of
an hour there are 1032 buckets, and what is outside falls into the outermost.
"""

import math
from collections.abc import Mapping

_ACCURACY = 0.01
_GROWTH = (1 + _ACCURACY) / (1 - _ACCURACY)
_LEAST_MS, _MOST_MS = 1e-3, 9e5


def bucket_of(duration_ms: float) -> int:
    """The bucket of a duration, in milliseconds."""
    within = min(max(duration_ms, _LEAST_MS), _MOST_MS)
    return math.ceil(math.log(within, _GROWTH))


def median_of(counts: Mapping[int, int], least_ms: float, most_ms: float) -> float:
    """The median of what was counted, within 1 %; the mean of both middles of an even number.

    Args:
        counts: by bucket; at least one is positive.
        least_ms: the shortest duration, exactly.
        most_ms: the longest.
    """
    last = sum(counts.values()) - 1
    middles = (_at(counts, last // 2), _at(counts, last - last // 2))
    return sum(min(max(middle, least_ms), most_ms) for middle in middles) / 2


def _at(counts: Mapping[int, int], rank: int) -> float:
    """The duration of a rank, from 0."""
    passed = 0
    for bucket in sorted(counts):
        passed += counts[bucket]
        if passed > rank:
            return float(2 * _GROWTH**bucket / (_GROWTH + 1))
    raise ValueError("no durations were counted")
