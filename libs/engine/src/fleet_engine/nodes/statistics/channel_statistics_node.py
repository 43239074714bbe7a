"""Base class of nodes that fit on the channels of all training pixels."""

from itertools import chain
from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.nodes.statistics.moments import Moments
from fleet_engine.nodes.statistics.statistics_node import Statistics, StatisticsNode


class ChannelStatisticsNode(StatisticsNode[Statistics]):
    """A node that fits on the pixels of its port `data`, each a row of `num_channels` values.

    Attributes:
        STATISTICS: class of the statistics.
        num_channels: channels of the cube.
    """

    STATISTICS: ClassVar[type[Any]] = Moments

    def __init__(self, *, num_channels: int, **hparams: Any) -> None:
        super().__init__(num_channels=num_channels, **hparams)
        self.num_channels = num_channels
        self.statistics = self.STATISTICS(num_channels, torch.device("cpu"))

    def new_statistics(self) -> Statistics:
        """Return empty statistics on the device of the node."""
        device = next(chain(self.buffers(), self.parameters())).device
        statistics: Statistics = self.STATISTICS(self.num_channels, device)
        return statistics

    def fit_update(self, *, data: Tensor, **_: Any) -> None:
        """Add the pixels of cube_BHWC to the statistics."""
        self.check_channels(data)
        self.statistics.update(data.reshape(-1, self.num_channels))

    def check_channels(self, data: Tensor) -> None:
        """Raise InvalidInput if cube_BHWC has a different number of channels."""
        self.require_channels("data", data, "num_channels", self.num_channels)
