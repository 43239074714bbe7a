"""Rewards a channel selector for weights that differ."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.losses.loss_node import LossNode


@published("cuvis_ai.node.losses.SelectorDiversityRegularizer")
class SelectorDiversityRegularizer(LossNode):
    """``loss = -weight * mean((w - mean w)^2)``, the population variance of the weights.

    Args:
        weight: factor applied to the loss; a positive factor favours weights that differ.
    """

    CATEGORY = NodeCategory.REGULARIZER
    TAGS = (NodeTag.DIM_REDUCTION, NodeTag.TRAINING, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {
        "weights": PortSpec(torch.float32, (-1,), "one weight per channel")
    }

    def __init__(self, weight: float = 0.01, **hparams: Any) -> None:
        super().__init__(weight=weight, **hparams)
        self.weight = weight

    def forward(self, weights: Tensor, **_: Any) -> dict[str, Tensor]:
        """Return the loss of weights [C], float32, a scalar."""
        return {"loss": -self.weight * weights.var(correction=0)}
