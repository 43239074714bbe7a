"""Base class of all metric nodes."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from fleet_engine.graph.context import Context
from fleet_engine.graph.metric import Metric
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.graph.stage import Stage


class MetricNode(Node):
    """A node that computes metrics of each batch, and of all batches since `reset` together.

    A subclass returns the sums of a batch, which add up over batches (`sums`), and computes metrics
    from such sums (`values`). The pooled metrics of an epoch are therefore those of all its data,
    not means over batches, even if several processes work on the epoch.

    Attributes:
        pool: the sums since `reset`, by name; empty before the first batch.
    """

    CATEGORY = NodeCategory.METRIC
    OUTPUT_SPECS: ClassVar[Ports] = {"metrics": PortSpec(None, (), "list of Metric")}
    STAGES = frozenset({Stage.VAL, Stage.TEST})
    OBSERVER = True

    def __init__(self, **hparams: Any) -> None:
        super().__init__(**hparams)
        self.pool: dict[str, Tensor] = {}

    @abstractmethod
    def sums(self, *_: Any, **inputs: Any) -> dict[str, Tensor]:
        """Return the sums of one batch, given by input port; they add up over batches."""

    @abstractmethod
    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the metrics by name, given the sums over any number of batches."""

    def values_of_batch(
        self, sums: Mapping[str, Tensor], *_: Any, **inputs: Any
    ) -> dict[str, float]:
        """Return the metrics of one batch; overridden if sums are coarser than necessary."""
        return self.values(sums)

    def reset(self) -> None:
        """Discard the sums of all batches."""
        self.pool = {}

    def pooled(self) -> dict[str, float]:
        """Return the metrics of all batches since `reset` by name; empty before the first batch."""
        return self.values(self.pool) if self.pool else {}

    def forward(self, context: Context, **inputs: Any) -> dict[str, list[Metric]]:
        """Add a batch to the pool and return its metrics."""
        given = {
            port: value.detach() if isinstance(value, Tensor) else value
            for port, value in inputs.items()
        }
        batch = self.sums(**given)
        for name, value in batch.items():
            self.pool[name] = self.pool[name] + value if name in self.pool else value
        return {
            "metrics": [
                Metric(name, value, context.stage, context.epoch, context.batch_idx)
                for name, value in self.values_of_batch(batch, **given).items()
            ]
        }
