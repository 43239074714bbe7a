"""Controls how evenly a channel selector distributes its weights."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.losses.loss_node import LossNode


@published("cuvis_ai.node.losses.SelectorEntropyRegularizer")
class SelectorEntropyRegularizer(LossNode):
    """``loss = -weight * H``, or ``weight * (H - target_entropy)^2`` if a target is given.

    H is the entropy of the weights w in nats, ``-sum p ln(p + eps)`` with
    ``p = w / (sum w + eps)``; it is largest, ln C, for C equal weights.

    Args:
        weight: factor applied to the loss; a positive factor favours even weights.
        target_entropy: target entropy in nats; None: maximise the entropy.
        eps: keeps quotient and logarithm finite.
    """

    CATEGORY = NodeCategory.REGULARIZER
    TAGS = (NodeTag.DIM_REDUCTION, NodeTag.TRAINING, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {
        "weights": PortSpec(torch.float32, (-1,), "one weight per channel, >= 0")
    }

    def __init__(
        self,
        weight: float = 0.01,
        target_entropy: float | None = None,
        eps: Annotated[float, Field(gt=0)] = 1e-6,
        **hparams: Any,
    ) -> None:
        super().__init__(weight=weight, target_entropy=target_entropy, eps=eps, **hparams)
        self.weight = weight
        self.target_entropy = target_entropy
        self.eps = eps

    def forward(self, weights: Tensor, **_: Any) -> dict[str, Tensor]:
        """Return the loss of weights [C], float32, a scalar."""
        share_C = weights / (weights.sum() + self.eps)
        entropy = -(share_C * (share_C + self.eps).log()).sum()
        if self.target_entropy is None:
            return {"loss": -self.weight * entropy}
        return {"loss": self.weight * (entropy - self.target_entropy).square()}
