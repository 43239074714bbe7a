"""Standardises each channel with the statistics of the training data."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.statistics.channel_statistics_node import ChannelStatisticsNode
from fleet_engine.nodes.statistics.moments import Moments


@published(
    "cuvis_ai.anomaly.deep_svdd.ZScoreNormalizerGlobal",
    "cuvis_ai.node.anomaly.deep_svdd.ZScoreNormalizerGlobal",
)
class ZScoreNormalizerGlobal(ChannelStatisticsNode[Moments]):
    """``(x - mean_c) / std_c`` per channel.

    mean_c is the mean of all training pixels, std_c their sample standard deviation (n - 1) plus
    `eps`.

    Args:
        num_channels: channels of the cube.
        eps: added to the standard deviation when the node is fitted.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (
        NodeTag.HYPERSPECTRAL,
        NodeTag.PREPROCESSING,
        NodeTag.NORMALIZATION,
        NodeTag.LEARNABLE,
        NodeTag.DIFFERENTIABLE,
    )
    INPUT_SPECS: ClassVar[Ports] = {"data": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")}
    OUTPUT_SPECS: ClassVar[Ports] = {
        "normalized": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")
    }
    TRAINABLE_BUFFERS = ("zscore_mean", "zscore_std")
    PIXEL_PORTS = frozenset({"data", "normalized"})

    zscore_mean: Tensor
    zscore_std: Tensor

    def __init__(
        self,
        num_channels: Annotated[int, Field(gt=0, le=16384)],
        eps: Annotated[float, Field(ge=0)] = 1e-8,
        **hparams: Any,
    ) -> None:
        super().__init__(num_channels=num_channels, eps=eps, **hparams)
        self.eps = eps
        self.register_buffer("zscore_mean", torch.zeros(num_channels))
        self.register_buffer("zscore_std", torch.ones(num_channels))

    def fit_end(self) -> None:
        """Set mean and standard deviation."""
        std_C = self.statistics.covariance().diagonal().sqrt()
        self.store("zscore_mean", self.statistics.mean_C)
        self.store("zscore_std", std_C + self.eps)
        self.fitted = True

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Standardise.

        Args:
            data: cube_BHWC, float32; C equals num_channels.

        Returns:
            normalized, float32, of the same shape.

        Raises:
            InvalidInput: the number of channels does not match.
        """
        self.check_channels(data)
        return {"normalized": (data - self.zscore_mean) / self.zscore_std}
