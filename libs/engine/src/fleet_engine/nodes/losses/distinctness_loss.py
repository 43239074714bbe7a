"""Penalises rows of a band selection that choose the same bands."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.losses.loss_node import LossNode


@published("cuvis_ai.node.losses.DistinctnessLoss")
class DistinctnessLoss(LossNode):
    """``loss = weight * mean over pairs i < j of cos(w_i, w_j)``; 0 if there is no pair.

    w_i is the row of weights of output channel i; for the cosine, rows are divided by their length,
    or by `eps` if they are shorter.

    Args:
        weight: factor applied to the loss.
        eps: lower bound on the length that a row is divided by.
    """

    CATEGORY = NodeCategory.REGULARIZER
    TAGS = (NodeTag.DIM_REDUCTION, NodeTag.TRAINING, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {
        "selection_weights": PortSpec(torch.float32, (-1, -1), "weight_KC, a row per output")
    }

    def __init__(
        self,
        weight: float = 0.1,
        eps: Annotated[float, Field(gt=0)] = 1e-6,
        **hparams: Any,
    ) -> None:
        super().__init__(weight=weight, eps=eps, **hparams)
        self.weight = weight
        self.eps = eps

    def forward(self, selection_weights: Tensor, **_: Any) -> dict[str, Tensor]:
        """Return the loss of weight_KC, float32, a scalar."""
        unit_KC = functional.normalize(selection_weights, dim=1, eps=self.eps)
        cosine_KK = unit_KC @ unit_KC.T
        rows = len(cosine_KK)
        pairs = max(rows * (rows - 1) // 2, 1)
        return {"loss": self.weight * cosine_KK.triu(diagonal=1).sum() / pairs}
