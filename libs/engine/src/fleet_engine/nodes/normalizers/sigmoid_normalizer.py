"""Squashes each channel of a measurement around its median."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec


@published("cuvis_ai.node.normalization.SigmoidNormalizer")
class SigmoidNormalizer(Node):
    """``sigmoid((x - median) / max(std, std_floor))`` per measurement and channel.

    Both statistics are taken over the pixels of the channel: the median is the lower of the two
    middle values if the number of pixels is even; std is the population standard deviation (n).

    Args:
        std_floor: lower bound on the standard deviation.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (
        NodeTag.HYPERSPECTRAL,
        NodeTag.PREPROCESSING,
        NodeTag.NORMALIZATION,
        NodeTag.DIFFERENTIABLE,
    )
    INPUT_SPECS: ClassVar[Ports] = {"data": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")}
    OUTPUT_SPECS: ClassVar[Ports] = {
        "normalized": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC in [0, 1]")
    }

    def __init__(self, std_floor: Annotated[float, Field(gt=0)] = 1e-6, **hparams: Any) -> None:
        super().__init__(std_floor=std_floor, **hparams)
        self.std_floor = std_floor

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Normalise cube_BHWC, float32; the shape is kept."""
        rows_BNC = data.flatten(1, 2)
        median = rows_BNC.median(dim=1, keepdim=True).values
        std = rows_BNC.std(dim=1, correction=0, keepdim=True).clamp_min(self.std_floor)
        return {"normalized": torch.sigmoid((rows_BNC - median) / std).reshape(data.shape)}
