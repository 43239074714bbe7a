"""Mean squared error of a reconstruction."""

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.losses.loss_node import LossNode


@published("cuvis_ai.node.losses.MSEReconstructionLoss")
class MSEReconstructionLoss(LossNode):
    """``loss = weight * mean((reconstruction - target)^2)`` over all values of the batch.

    Args:
        weight: factor applied to the loss.
        reduction: mean or sum of the squares.
    """

    TAGS = (NodeTag.RECONSTRUCTION, NodeTag.TRAINING, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {
        "reconstruction": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "target": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
    }

    def __init__(
        self,
        weight: float = 1.0,
        reduction: Literal["mean", "sum"] = "mean",
        **hparams: Any,
    ) -> None:
        super().__init__(weight=weight, reduction=reduction, **hparams)
        self.weight = weight
        self.reduction = reduction

    def forward(self, reconstruction: Tensor, target: Tensor, **_: Any) -> dict[str, Tensor]:
        """Return the loss, a scalar, of two cubes of the same shape [B, H, W, C], float32.

        Raises:
            InvalidInput: the shapes differ.
        """
        self.require_same_shape("target", target, "reconstruction", reconstruction)
        error = functional.mse_loss(reconstruction, target, reduction=self.reduction)
        return {"loss": self.weight * error}
