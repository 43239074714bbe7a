"""Penalises trained components that are not orthonormal."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.losses.loss_node import LossNode


@published("cuvis_ai.node.losses.OrthogonalityLoss")
class OrthogonalityLoss(LossNode):
    """``loss = weight * |W W^T - I|^2``, the squared Frobenius norm; zero for orthonormal rows.

    Args:
        weight: factor applied to the loss.
    """

    CATEGORY = NodeCategory.REGULARIZER
    TAGS = (NodeTag.DIM_REDUCTION, NodeTag.TRAINING, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {
        "components": PortSpec(torch.float32, (-1, -1), "component_KC, one per row")
    }

    def __init__(self, weight: float = 1.0, **hparams: Any) -> None:
        super().__init__(weight=weight, **hparams)
        self.weight = weight

    def forward(self, components: Tensor, **_: Any) -> dict[str, Tensor]:
        """Return the loss of component_KC, float32, a scalar."""
        gram_KK = components @ components.T
        identity_KK = torch.eye(len(gram_KK), dtype=gram_KK.dtype, device=gram_KK.device)
        return {"loss": self.weight * (gram_KK - identity_KK).square().sum()}
