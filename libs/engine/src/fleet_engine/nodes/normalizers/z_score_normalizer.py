"""Standardises a batch along chosen axes, with its own statistics."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec

Axis = Annotated[int, Field(ge=-4, le=3)]


@published("cuvis_ai.node.normalization.ZScoreNormalizer")
class ZScoreNormalizer(Node):
    """``(x - mean) / (std + eps)``, mean and population standard deviation (n) along `dims`.

    Mean and standard deviation always stay aligned with the axes they were computed along. (The
    published node drops these axes with ``keepdim=False`` and then fails, or applies the statistics
    of one axis to another of the same size; with empty `dims` its gradients are wrong.)

    Args:
        dims: axes of [B, H, W, C]; None: H and W; empty: all.
        eps: added to the standard deviation.
        keepdim: accepted for compatibility with existing configurations; has no effect.
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

    def __init__(
        self,
        dims: list[Axis] | None = None,
        eps: Annotated[float, Field(ge=0)] = 1e-6,
        keepdim: bool = True,
        **hparams: Any,
    ) -> None:
        super().__init__(dims=dims, eps=eps, keepdim=keepdim, **hparams)
        chosen = (1, 2) if dims is None else dims
        self.axes = sorted({axis % 4 for axis in chosen}) or [0, 1, 2, 3]
        self.eps = eps

    @property
    def pixel_ports(self) -> frozenset[str]:
        """Empty unless statistics run over channels alone: only then are pixels independent."""
        return super().pixel_ports if self.axes == [3] else frozenset()

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Normalise cube_BHWC, float32; the shape is kept."""
        mean = data.mean(dim=self.axes, keepdim=True)
        std = data.std(dim=self.axes, correction=0, keepdim=True)
        return {"normalized": (data - mean) / (std + self.eps)}
