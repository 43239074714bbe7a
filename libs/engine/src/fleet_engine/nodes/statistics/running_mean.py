"""Running mean of a stream, computed from float64 sums."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from fleet_engine.nodes.statistics.moments import refuse_non_finite
from fleet_platform.errors import InvalidInput


class RunningMean:
    """Count and sum of rows of C channels.

    Attributes:
        count: rows so far.
        sum_C: their sum, float64.
    """

    def __init__(self, channels: int, device: torch.device) -> None:
        self.count = 0
        self.sum_C = torch.zeros(channels, dtype=torch.float64, device=device)

    def update(self, rows_NC: Tensor) -> None:
        """Add rows of any float dtype.

        Raises:
            InvalidInput: a value is NaN or infinite.
        """
        total_C = rows_NC.sum(dim=0, dtype=torch.float64)
        refuse_non_finite(total_C)
        self.sum_C = self.sum_C + total_C
        self.count += rows_NC.shape[0]

    def sums(self) -> dict[str, Tensor]:
        """Return count and sum [C]."""
        return {"count": torch.tensor(self.count), "sum": self.sum_C}

    def merge(self, parts: Sequence[Mapping[str, Tensor]]) -> None:
        """Replace count and sum with those of all parts together, each given by its `sums`."""
        self.count = sum(int(part["count"]) for part in parts)
        self.sum_C = torch.stack([part["sum"] for part in parts]).sum(dim=0)

    def mean(self) -> Tensor:
        """Return sum / count, float64.

        Raises:
            InvalidInput: no row was added.
        """
        if self.count == 0:
            raise InvalidInput(
                "Statistics need at least one pixel; the training data contains none."
            )
        return self.sum_C / self.count
