"""Streaming statistics of the bands of labelled pixels, by class."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from fleet_engine.nodes.statistics.moments import Moments
from fleet_engine.nodes.statistics.value_counts import ValueCounts, Values
from fleet_platform.errors import InvalidInput

_MIN_VARIANCE = 1e-10
_ROUNDING = 1e-24
_BINS = 10


class ClassStatistics:
    """Statistics on how well each band separates the classes, and how bands correlate.

    Attributes:
        negatives: moments of the negative pixels.
        positives: moments of the positive pixels.
        counts: value counts of each band.
    """

    def __init__(self, channels: int, device: torch.device) -> None:
        self.negatives = Moments(channels, device)
        self.positives = Moments(channels, device)
        self.counts = [ValueCounts() for _ in range(channels)]

    def update(self, rows_NC: Tensor, positive_N: Tensor) -> None:
        """Add pixels with their classes.

        Raises:
            InvalidInput: a value is NaN or infinite.
        """
        negative_NC, positive_MC = rows_NC[~positive_N], rows_NC[positive_N]
        for moments, rows in ((self.negatives, negative_NC), (self.positives, positive_MC)):
            if len(rows):
                moments.update(rows)
        for counts, negative_N, positive_M in zip(
            self.counts, _by_band(negative_NC), _by_band(positive_MC), strict=True
        ):
            counts.update(negative_N, positive_M)

    def sums(self) -> dict[str, Tensor]:
        """Return the moments of both classes, and the value counts of all bands in turn."""
        return {
            **{f"negatives.{key}": value for key, value in self.negatives.sums().items()},
            **{f"positives.{key}": value for key, value in self.positives.sums().items()},
            "keys": torch.from_numpy(np.concatenate([band.keys_K for band in self.counts])),
            "counts": torch.from_numpy(
                np.concatenate([band.counts_2K for band in self.counts], axis=1)
            ),
            "distinct": torch.tensor([len(band.keys_K) for band in self.counts]),
            "shifts": torch.tensor([band.shift for band in self.counts]),
        }

    def merge(self, parts: Sequence[Mapping[str, Tensor]]) -> None:
        """Replace the statistics with those of all parts together, each given by its `sums`."""
        for prefix, moments in (("negatives.", self.negatives), ("positives.", self.positives)):
            moments.merge(
                [
                    {key.removeprefix(prefix): part[key] for key in part if key.startswith(prefix)}
                    for part in parts
                ]
            )
        self.counts = [ValueCounts() for _ in self.counts]
        for part in parts:
            ends = part["distinct"].cumsum(dim=0)[:-1].tolist()
            keys = np.split(part["keys"].cpu().numpy(), ends)
            counts = np.split(part["counts"].cpu().numpy(), ends, axis=1)
            shifts = part["shifts"].tolist()
            for band, keys_K, counts_2K, shift in zip(
                self.counts, keys, counts, shifts, strict=True
            ):
                band.add(keys_K, counts_2K, shift)

    def refuse_single_class(self) -> None:
        """Raise InvalidInput unless both classes have pixels."""
        if not (self.negatives.count and self.positives.count):
            raise InvalidInput(
                "Scores of bands need labelled pixels of both classes; the training data contains "
                f"{self.positives.count} pixels with mask true and {self.negatives.count} with "
                "mask false."
            )

    def fisher(self) -> Tensor:
        """Return ``(m1 - m0)^2 / (v0 + v1)`` per band (Fisher 1936), float64.

        v are variances divided by n. A band whose variances sum to less than 1e-10 scores 0.
        """
        negatives, positives = self.negatives, self.positives
        within_C = (
            negatives.scatter_CC.diagonal() / negatives.count
            + positives.scatter_CC.diagonal() / positives.count
        )
        between_C = (positives.mean_C - negatives.mean_C) ** 2
        return torch.where(within_C < _MIN_VARIANCE, 0.0, between_C / within_C)

    def auc(self) -> Tensor:
        """Return each band's area under the ROC curve, float64."""
        return self.negatives.mean_C.new_tensor([counts.auc() for counts in self.counts])

    def mutual_information(self) -> Tensor:
        """Return each band's mutual information with the class, in bits, with 10 bins, float64."""
        return self.negatives.mean_C.new_tensor(
            [counts.mutual_information(_BINS) for counts in self.counts]
        )

    def correlation(self) -> Tensor:
        """Return the absolute correlation of each pair of bands over all pixels, float64.

        A constant band has correlation 0 with every band, including itself.
        """
        n0, n1 = self.negatives.count, self.positives.count
        mean_C = (n0 * self.negatives.mean_C + n1 * self.positives.mean_C) / (n0 + n1)
        delta_C = self.positives.mean_C - self.negatives.mean_C
        scatter_CC = (
            self.negatives.scatter_CC
            + self.positives.scatter_CC
            + torch.outer(delta_C, delta_C) * (n0 * n1 / (n0 + n1))
        )
        spread_C = scatter_CC.diagonal()
        varies_C = spread_C > _ROUNDING * (n0 + n1) * mean_C**2
        scale_C = torch.where(varies_C, spread_C, float("inf")).rsqrt()
        return (scatter_CC * torch.outer(scale_C, scale_C)).abs()


def _by_band(rows_NC: Tensor) -> Values:
    values_CN: Values = rows_NC.detach().T.contiguous().to("cpu", torch.float32).numpy()
    return values_CN
