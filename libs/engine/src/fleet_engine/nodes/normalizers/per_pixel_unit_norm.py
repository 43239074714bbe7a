"""Centres each pixel's spectrum and scales it to length one."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec


@published("cuvis_ai.node.normalization.PerPixelUnitNorm")
class PerPixelUnitNorm(Node):
    """``(x - mean(x)) / max(|x - mean(x)|, eps)`` over the channels of each pixel.

    Args:
        eps: lower bound on the divisor.
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
        "normalized": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")
    }
    PIXEL_PORTS = frozenset({"data", "normalized"})

    def __init__(self, eps: Annotated[float, Field(ge=0)] = 1e-8, **hparams: Any) -> None:
        super().__init__(eps=eps, **hparams)
        self.eps = eps

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Normalise cube_BHWC, float32; the shape is kept."""
        centred = data - data.mean(dim=-1, keepdim=True)
        length = torch.linalg.vector_norm(centred, dim=-1, keepdim=True)
        return {"normalized": centred / length.clamp_min(self.eps)}
