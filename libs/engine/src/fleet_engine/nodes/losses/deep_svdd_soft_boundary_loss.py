"""Soft-boundary Deep SVDD: a small sphere that contains most pixels."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.losses.loss_node import LossNode

_SHARPNESS = 10.0


@published("cuvis_ai.node.losses.DeepSVDDSoftBoundaryLoss")
class DeepSVDDSoftBoundaryLoss(LossNode):
    """``loss = weight * (R^2 + mean(max(0, |z - c|^2 - R^2)) / nu)`` (Ruff et al. 2018, eq. 3).

    The mean is over all pixels; z is the embedding of a pixel, c the centre. The radius is trained
    with the network and kept positive as ``R = ln(1 + exp(10 r)) / 10``; r, the parameter
    `r_unconstrained`, starts at 0 and is trainable from the start.

    Args:
        nu: upper bound on the fraction of pixels outside the sphere, above 0 and below 1.
        weight: factor applied to the loss.
    """

    TAGS = (
        NodeTag.EMBEDDING,
        NodeTag.ANOMALY,
        NodeTag.TRAINING,
        NodeTag.LEARNABLE,
        NodeTag.DIFFERENTIABLE,
    )
    INPUT_SPECS: ClassVar[Ports] = {
        "embeddings": PortSpec(torch.float32, (-1, -1, -1, -1), "embedding_BHWD"),
        "center": PortSpec(torch.float32, (-1,), "center_D"),
    }

    def __init__(
        self,
        nu: Annotated[float, Field(gt=0, lt=1)] = 0.05,
        weight: float = 1.0,
        **hparams: Any,
    ) -> None:
        super().__init__(nu=nu, weight=weight, **hparams)
        self.nu = nu
        self.weight = weight
        self.r_unconstrained = nn.Parameter(torch.tensor(0.0))

    def forward(self, embeddings: Tensor, center: Tensor, **_: Any) -> dict[str, Tensor]:
        """Compute the loss.

        Args:
            embeddings: embedding_BHWD, float32.
            center: center_D, float32.

        Returns:
            loss, a scalar.

        Raises:
            InvalidInput: the dimensions of centre and embeddings differ.
        """
        if center.shape[0] != embeddings.shape[-1]:
            raise self.refuse(
                "center",
                f"{center.shape[0]} dimensions",
                f"{embeddings.shape[-1]} dimensions, like the embeddings",
            )
        radius_squared = functional.softplus(self.r_unconstrained, beta=_SHARPNESS).square()
        distance_BHW = (embeddings - center).square().sum(dim=-1)
        outside = (distance_BHW - radius_squared).relu().mean()
        return {"loss": self.weight * (radius_squared + outside / self.nu)}
