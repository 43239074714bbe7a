"""Running mean and scatter of a stream, in float64.

Merging follows Chan, Golub & LeVeque (1979), the batched form of Welford's update: with a batch of
m rows, mean b and scatter S, delta = b - mean, the mean moves by delta * m / (n + m) and the
scatter grows by S + delta delta^T * n * m / (n + m).
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from fleet_platform.errors import InvalidInput


class Moments:
    """Count, mean and scatter matrix of rows of C channels.

    Attributes:
        count: rows so far.
        mean_C: their mean, float64.
        scatter_CC: sum of outer products of their deviations from the mean, float64.
    """

    def __init__(self, channels: int, device: torch.device) -> None:
        self.count = 0
        self.mean_C = torch.zeros(channels, dtype=torch.float64, device=device)
        self.scatter_CC = torch.zeros(channels, channels, dtype=torch.float64, device=device)

    def update(self, rows_NC: Tensor) -> None:
        """Add rows of any float dtype.

        Raises:
            InvalidInput: a value is NaN or infinite.
        """
        rows = rows_NC.to(torch.float64)
        mean_C = rows.mean(dim=0)
        refuse_non_finite(mean_C)
        centred = rows - mean_C
        self._absorb(rows.shape[0], mean_C, centred.T @ centred)

    def sums(self) -> dict[str, Tensor]:
        """Return count, mean [C] and scatter [C, C]."""
        return {
            "count": torch.tensor(self.count),
            "mean": self.mean_C,
            "scatter": self.scatter_CC,
        }

    def merge(self, parts: Sequence[Mapping[str, Tensor]]) -> None:
        """Replace the moments with those of all parts together, each given by its `sums`."""
        self.count = 0
        self.mean_C = torch.zeros_like(self.mean_C)
        self.scatter_CC = torch.zeros_like(self.scatter_CC)
        for part in parts:
            if count := int(part["count"]):
                self._absorb(count, part["mean"], part["scatter"])

    def _absorb(self, count: int, mean_C: Tensor, scatter_CC: Tensor) -> None:
        delta = mean_C - self.mean_C
        total = self.count + count
        self.scatter_CC = (
            self.scatter_CC + scatter_CC + torch.outer(delta, delta) * (self.count * count / total)
        )
        self.mean_C = self.mean_C + delta * (count / total)
        self.count = total

    def covariance(self) -> Tensor:
        """Return the sample covariance, scatter / (n - 1).

        Raises:
            InvalidInput: fewer than two rows were added.
        """
        if self.count < 2:
            raise InvalidInput(
                f"Statistics need at least two pixels; the training data contains {self.count}."
            )
        return self.scatter_CC / (self.count - 1)


def refuse_non_finite(summary: Tensor) -> None:
    """Raise InvalidInput if sums or extremes of data are NaN or infinite."""
    if not bool(torch.isfinite(summary).all()):
        raise InvalidInput("the data contains NaN or infinite values; statistics need finite ones")
