"""What metrics about the model itself have in common."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fleet_engine.nodes.metrics.metric_node import MetricNode

_BATCHES = "batches"


class ModelMetricNode(MetricNode):
    """Reports on the model and not on the data: on components or weights that all pixels share.

    Such numbers are the same for every batch of an epoch, so their mean over the batches is the
    number itself.
    """

    @abstractmethod
    def describe(self, *_: Any, **inputs: Any) -> dict[str, Tensor]:
        """Scalars by name, from the inputs by port, which are float64."""

    def sums(self, *_: Any, **inputs: Any) -> dict[str, Tensor]:
        """The numbers, and a count of one batch."""
        numbers = self.describe(**{port: value.to(torch.float64) for port, value in inputs.items()})
        device = next(iter(inputs.values())).device
        return {_BATCHES: torch.ones((), dtype=torch.float64, device=device), **numbers}

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:
        """The means over the batches."""
        batches = float(sums[_BATCHES])
        return {name: float(value) / batches for name, value in sums.items() if name != _BATCHES}
