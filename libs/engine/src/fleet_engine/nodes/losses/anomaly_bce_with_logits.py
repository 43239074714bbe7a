"""Binary cross-entropy between logits and ground truth."""

from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.losses.loss_node import LossNode


@published("cuvis_ai.node.losses.AnomalyBCEWithLogits")
class AnomalyBCEWithLogits(LossNode):
    """``loss = weight * mean(-(pos_weight * t * ln s + (1 - t) * ln(1 - s)))``, s = sigmoid(x).

    x is the logit of a pixel, t its ground truth, 0 or 1. Sigmoid and logarithm are computed
    together, so that large logits do not overflow.

    The weight of positives is one buffer under two keys, both of which published files contain.

    Args:
        weight: factor applied to the loss.
        pos_weight: factor applied to anomalous pixels, to compensate for unbalanced classes;
            None: 1.
        reduction: mean or sum over all pixels of the batch.
    """

    TAGS = (NodeTag.MASK, NodeTag.SEGMENTATION, NodeTag.TRAINING, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {
        "predictions": PortSpec(torch.float32, (-1, -1, -1, 1), "logits, positive: anomalous"),
        "targets": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly"),
    }

    def __init__(
        self,
        weight: float = 1.0,
        pos_weight: Annotated[float, Field(gt=0)] | None = None,
        reduction: Literal["mean", "sum"] = "mean",
        **hparams: Any,
    ) -> None:
        super().__init__(weight=weight, pos_weight=pos_weight, reduction=reduction, **hparams)
        self.weight = weight
        self.loss_fn = nn.BCEWithLogitsLoss(
            pos_weight=None if pos_weight is None else torch.tensor([float(pos_weight)]),
            reduction=reduction,
        )
        if pos_weight is not None:
            self.register_buffer("_pos_weight", self.loss_fn.pos_weight)

    def forward(self, predictions: Tensor, targets: Tensor, **_: Any) -> dict[str, Tensor]:
        """Compute the loss.

        Args:
            predictions: logits [B, H, W, 1], float32.
            targets: bool of that shape.

        Returns:
            loss, a scalar.

        Raises:
            InvalidInput: the shapes differ.
        """
        self.require_same_shape("targets", targets, "predictions", predictions)
        return {"loss": self.weight * self.loss_fn(predictions, targets.to(predictions.dtype))}
