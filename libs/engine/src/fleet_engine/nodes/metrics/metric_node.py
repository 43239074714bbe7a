"""What all metric nodes have in common."""

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
    """Reports numbers on each batch, and on all batches since `reset` as if they were one.

    A subclass says what of a batch adds up over batches (`sums`), and what follows from such sums
    (`values`); so the pooled numbers of an epoch, also of one that several processes share, are
    those of all its data and not means over batches.

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
        """What of one batch, given by input port, adds up over batches."""

    @abstractmethod
    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:
        """The numbers by name that follow from the sums over any number of batches."""

    def values_of_batch(
        self, sums: Mapping[str, Tensor], *_: Any, **inputs: Any
    ) -> dict[str, float]:
        """The numbers by name of one batch alone; for sums that are coarser than a batch needs."""
        return self.values(sums)

    def reset(self) -> None:
        """Forget all batches."""
        self.pool = {}

    def pooled(self) -> dict[str, float]:
        """The numbers by name over all batches since `reset`; none before the first batch."""
        return self.values(self.pool) if self.pool else {}

    def forward(self, context: Context, **inputs: Any) -> dict[str, list[Metric]]:
        """Take in a batch and report on it alone."""
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
