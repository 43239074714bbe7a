"""Differentiable intersection over union of scores and ground truth."""

from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.losses.loss_node import LossNode


@published("cuvis_ai.node.losses.IoULoss")
class IoULoss(LossNode):
    """``loss = weight * (1 - (sum p t + smooth) / (sum (p + t - p t) + smooth))``.

    The sums run over all pixels of the batch; t is the ground truth, 0 or 1, p the score mapped to
    [0, 1]: by the sigmoid, by clamping, or as ``(x - min) / (max - min + smooth)`` with the minimum
    and maximum of the batch, which maps equal scores to 0.5 (Rahman & Wang 2016, eq. 3 to 5).

    Args:
        weight: factor applied to the loss.
        smooth: keeps the quotients finite.
        normalize_method: sigmoid, clamp or minmax.
    """

    TAGS = (NodeTag.MASK, NodeTag.SEGMENTATION, NodeTag.TRAINING, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {
        "predictions": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: anomalous"),
        "targets": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly"),
    }

    def __init__(
        self,
        weight: float = 1.0,
        smooth: Annotated[float, Field(ge=0)] = 1e-6,
        normalize_method: Literal["sigmoid", "clamp", "minmax"] = "sigmoid",
        **hparams: Any,
    ) -> None:
        super().__init__(weight=weight, smooth=smooth, normalize_method=normalize_method, **hparams)
        self.weight = weight
        self.smooth = smooth
        self.normalize_method = normalize_method

    def forward(self, predictions: Tensor, targets: Tensor, **_: Any) -> dict[str, Tensor]:
        """Compute the loss.

        Args:
            predictions: scores [B, H, W, 1], float32.
            targets: bool of that shape.

        Returns:
            loss, a scalar.

        Raises:
            InvalidInput: the shapes differ.
        """
        self.require_same_shape("targets", targets, "predictions", predictions)
        probability = self._into_unit_range(predictions)
        both = (probability * targets).sum()
        either = probability.sum() + targets.sum() - both
        return {"loss": self.weight * (1 - (both + self.smooth) / (either + self.smooth))}

    def _into_unit_range(self, scores: Tensor) -> Tensor:
        if self.normalize_method == "sigmoid":
            return scores.sigmoid()
        if self.normalize_method == "clamp":
            return scores.clamp(0, 1)
        low, high = scores.aminmax()
        if bool(low == high):
            return torch.full_like(scores, 0.5)
        return (scores - low) / (high - low + self.smooth)
