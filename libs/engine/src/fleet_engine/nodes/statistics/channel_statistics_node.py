"""What nodes that learn from the channels of all training pixels have in common."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor

from fleet_engine.graph.node import Node
from fleet_engine.nodes.statistics.moments import Moments
from fleet_engine.nodes.statistics.running_mean import RunningMean

Statistics = TypeVar("Statistics", Moments, RunningMean)


class ChannelStatisticsNode(Node, Generic[Statistics]):
    """Takes in the pixels of its port `data`, one row of `num_channels` values each.

    A subclass says in `fit_end` what follows from the statistics.

    Attributes:
        STATISTICS: what is kept of the pixels.
        num_channels: channels of the cube.
        statistics: what was kept since the fit began.
    """

    STATISTICS: ClassVar[type[Any]] = Moments
    statistics: Statistics

    def __init__(self, *, num_channels: int, **hparams: Any) -> None:
        super().__init__(num_channels=num_channels, **hparams)
        self.num_channels = num_channels
        self.statistics = self.STATISTICS(num_channels, torch.device("cpu"))

    def fit_begin(self) -> None:
        """Start with no pixels."""
        device = next(chain(self.buffers(), self.parameters())).device
        self.statistics = self.STATISTICS(self.num_channels, device)

    def fit_update(self, *, data: Tensor, **_: Any) -> None:
        """Take in the pixels of cube_BHWC."""
        self.check_channels(data)
        self.statistics.update(data.reshape(-1, self.num_channels))

    def fit_sums(self) -> dict[str, Tensor]:
        """Return what adds up over parts of the data."""
        return self.statistics.sums()

    def fit_merge(self, parts: Sequence[Mapping[str, Tensor]]) -> None:
        """Become the statistics of all parts' pixels."""
        self.statistics.merge(parts)

    def check_channels(self, data: Tensor) -> None:
        """Raise InvalidInput when cube_BHWC has another number of channels."""
        if data.shape[-1] != self.num_channels:
            raise self.refuse(
                "data",
                f"{data.shape[-1]} channels",
                f"{self.num_channels} channels, as the hparam num_channels says",
            )
