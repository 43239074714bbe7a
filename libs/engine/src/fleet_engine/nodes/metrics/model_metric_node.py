"""Base class of metrics about the model."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fleet_engine.nodes.metrics.metric_node import MetricNode

_BATCHES = "batches"


class ModelMetricNode(MetricNode):
    """A metric of the model, such as of its components or weights, rather than of the data.

    Such metrics are the same for every batch of an epoch, so their mean over the batches is the
    value itself.
    """

    @abstractmethod
    def describe(self, *_: Any, **inputs: Any) -> dict[str, Tensor]:
        """Return named scalars, computed from the inputs (float64, by port)."""

    def sums(self, *_: Any, **inputs: Any) -> dict[str, Tensor]:
        """Return the scalars, and a count of one batch."""
        numbers = self.describe(**{port: value.to(torch.float64) for port, value in inputs.items()})
        device = next(iter(inputs.values())).device
        return {_BATCHES: torch.ones((), dtype=torch.float64, device=device), **numbers}

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the means over the batches."""
        batches = float(sums[_BATCHES])
        return {name: float(value) / batches for name, value in sums.items() if name != _BATCHES}
