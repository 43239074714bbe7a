"""Turns logits into probabilities."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec


@published("cuvis_ai.node.normalization.SigmoidTransform")
class SigmoidTransform(Node):
    """``1 / (1 + exp(-x))`` of each value."""

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (NodeTag.ANOMALY, NodeTag.POSTPROCESSING, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {"data": PortSpec(torch.float32, (-1, -1, -1, -1), "logits")}
    OUTPUT_SPECS: ClassVar[Ports] = {
        "transformed": PortSpec(torch.float32, (-1, -1, -1, -1), "probabilities")
    }
    PIXEL_PORTS = frozenset({"data", "transformed"})

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Convert values [B, H, W, C], float32; the shape is kept."""
        return {"transformed": torch.sigmoid(data)}
