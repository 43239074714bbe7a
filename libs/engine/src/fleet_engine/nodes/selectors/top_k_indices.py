"""The channels with the largest weights."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec


@published("cuvis_ai.node.channel_selector.TopKIndices")
class TopKIndices(Node):
    """Indices of the k largest weights in descending order, or of all if there are fewer.

    Args:
        k: number of indices.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (NodeTag.HYPERSPECTRAL, NodeTag.DIM_REDUCTION, NodeTag.PREPROCESSING)
    INPUT_SPECS: ClassVar[Ports] = {
        "weights": PortSpec(torch.float32, (-1,), "of each channel of a selector")
    }
    OUTPUT_SPECS: ClassVar[Ports] = {"indices": PortSpec(torch.int64, (-1,), "[k]")}

    def __init__(self, k: Annotated[int, Field(gt=0)], **hparams: Any) -> None:
        super().__init__(k=k, **hparams)
        self.k = k

    def forward(self, weights: Tensor, **_: Any) -> dict[str, Tensor]:
        """Return indices [min(k, C)], int64, of weights [C]."""
        return {"indices": torch.topk(weights, min(self.k, weights.numel())).indices}
