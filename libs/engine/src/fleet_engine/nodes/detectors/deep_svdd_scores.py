"""Scores embeddings by their distance to the Deep SVDD centre."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec, describe


@published(
    "cuvis_ai.anomaly.deep_svdd.DeepSVDDScores",
    "cuvis_ai.node.anomaly.deep_svdd.DeepSVDDScores",
)
class DeepSVDDScores(Node):
    """``score = |z - c|^2`` per pixel (Ruff et al. 2018, eq. 5)."""

    CATEGORY = NodeCategory.MODEL
    TAGS = (NodeTag.EMBEDDING, NodeTag.ANOMALY, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {
        "embeddings": PortSpec(torch.float32, (-1, -1, -1, -1), "[B, H, W, D]"),
        "center": PortSpec(torch.float32, (-1,), "[D]"),
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: more anomalous")
    }
    PIXEL_PORTS = frozenset({"embeddings", "scores"})

    def forward(self, embeddings: Tensor, center: Tensor, **_: Any) -> dict[str, Tensor]:
        """Score each pixel.

        Args:
            embeddings: [B, H, W, D], float32.
            center: [D], float32.

        Returns:
            scores [B, H, W, 1], float32.

        Raises:
            InvalidInput: the lengths of centre and embeddings differ.
        """
        if center.shape != embeddings.shape[-1:]:
            raise self.refuse(
                "center",
                describe(center),
                f"float32 [{embeddings.shape[-1]}], the length of the embeddings",
            )
        return {"scores": (embeddings - center).square().sum(dim=-1, keepdim=True)}
