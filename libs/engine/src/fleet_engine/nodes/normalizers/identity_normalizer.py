"""A placeholder for a normaliser that changes nothing."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec


@published("cuvis_ai.node.normalization.IdentityNormalizer")
class IdentityNormalizer(Node):
    """Returns its input unchanged, as the same tensor."""

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

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Return cube_BHWC, float32, unchanged."""
        return {"normalized": data}
