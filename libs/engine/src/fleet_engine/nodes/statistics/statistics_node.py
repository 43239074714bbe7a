"""Base class of nodes whose fit keeps mergeable statistics."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from torch import Tensor

from fleet_engine.graph.node import Node
from fleet_engine.nodes.statistics.moments import Moments
from fleet_engine.nodes.statistics.running_mean import RunningMean

Statistics = TypeVar("Statistics", Moments, RunningMean)


class StatisticsNode(Node, Generic[Statistics]):
    """A node that fits on statistics which can be merged over parts of the data.

    A subclass updates them in `fit_update` and derives its values from them in `fit_end`.

    Attributes:
        statistics: the statistics since `fit_begin`.
    """

    statistics: Statistics

    @abstractmethod
    def new_statistics(self) -> Statistics:
        """Return empty statistics on the device of the node."""

    def fit_begin(self) -> None:
        """Start without any pixels."""
        self.statistics = self.new_statistics()

    def fit_sums(self) -> dict[str, Tensor]:
        """Return the statistics as tensors by name."""
        return self.statistics.sums()

    def fit_merge(self, parts: Sequence[Mapping[str, Tensor]]) -> None:
        """Replace the statistics with those of all parts together."""
        self.statistics.merge(parts)
