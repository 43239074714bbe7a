"""Distribution of scores."""

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec, describe
from fleet_engine.nodes.metrics.metric_node import MetricNode
from fleet_engine.nodes.metrics.score_bins import BINS, bins_of, edges_of

_QUANTILES = {
    "scores/min": 0.0,
    "scores/max": 1.0,
    "scores/q25": 0.25,
    "scores/q75": 0.75,
    "scores/q95": 0.95,
    "scores/q99": 0.99,
}


@published("cuvis_ai.node.metrics.ScoreStatisticsMetric")
class ScoreStatisticsMetric(MetricNode):
    """Mean, sample standard deviation, extremes, median and quantiles over all pixels.

    A quantile q is the value at rank ``q * (n - 1)`` of the sorted scores, counted from 0, with
    linear interpolation. The median of an even number of scores is the lower of the middle two. All
    statistics are exact for a batch. When batches are pooled, mean and standard deviation are
    exact; the others replace each score with the mean of its bin, which differs by at most 1/512 of
    its magnitude (see `score_bins`). The standard deviation of a single score is 0.
    """

    TAGS = (NodeTag.ANOMALY, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "scores": PortSpec(
            torch.float32,
            (-1, -1, -1),
            "score_BHW; also with a last axis of one, as detectors return it",
            checked_by_node=True,
        )
    }

    def sums(self, *, scores: Tensor, **_: Any) -> dict[str, Tensor]:
        """Count the scores and sum them up by bin.

        Raises:
            InvalidInput: scores are not float32 [B, H, W] or [B, H, W, 1].
        """
        scores_N = self._flat(scores)
        bins_N = bins_of(scores_N)
        # Offsets from the edge of a bin are small, so that their squares do not lose precision.
        offset_N = scores_N.to(torch.float64) - edges_of(bins_N)
        return {
            "counts": torch.bincount(bins_N, minlength=BINS),
            "offsets": torch.bincount(bins_N, weights=offset_N, minlength=BINS),
            "squares": offset_N.square().sum(),
        }

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the statistics of any number of batches."""
        bins_K = sums["counts"].nonzero().squeeze(1)
        count_K, offset_K = sums["counts"][bins_K], sums["offsets"][bins_K]
        level_K = edges_of(bins_K) + offset_K / count_K
        count = int(count_K.sum())
        mean = (level_K * count_K).sum() / count
        within = sums["squares"] - (offset_K.square() / count_K).sum()
        between = (count_K * (level_K - mean).square()).sum()
        last_K = count_K.cumsum(0) - 1

        def ranked(rank: int) -> float:
            return float(level_K[torch.searchsorted(last_K, rank)])

        return _statistics(count, float(mean), float(within + between), ranked)

    def values_of_batch(
        self, sums: Mapping[str, Tensor], *, scores: Tensor, **_: Any
    ) -> dict[str, float]:
        """Return the statistics of one batch, computed from its scores."""
        del sums
        sorted_N = self._flat(scores).to(torch.float64).sort().values
        mean = sorted_N.mean()
        scatter = (sorted_N - mean).square().sum()
        return _statistics(
            len(sorted_N), float(mean), float(scatter), lambda rank: float(sorted_N[rank])
        )

    def _flat(self, scores: Tensor) -> Tensor:
        form = tuple(scores.shape[3:])
        if scores.dtype != torch.float32 or scores.ndim not in (3, 4) or form not in ((), (1,)):
            raise self.refuse("scores", describe(scores), "float32 [B, H, W] or [B, H, W, 1]")
        return scores.flatten()


def _statistics(
    count: int, mean: float, scatter: float, ranked: Callable[[int], float]
) -> dict[str, float]:
    """Return the statistics by name, given the score of each rank."""
    values = {
        "scores/mean": mean,
        "scores/std": math.sqrt(max(scatter, 0.0) / max(count - 1, 1)),
        "scores/median": ranked((count - 1) // 2),
    }
    for name, quantile in _QUANTILES.items():
        rank = quantile * (count - 1)
        below = int(rank)
        low, high = ranked(below), ranked(min(below + 1, count - 1))
        values[name] = low + (rank - below) * (high - low)
    return values
