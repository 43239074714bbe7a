"""Turns logits into decisions."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.port_spec import Ports, PortSpec


@published(
    "cuvis_ai.deciders.binary_decider.BinaryDecider",
    "cuvis_ai.node.deciders.binary_decider.BinaryDecider",
)
class BinaryDecider(Node):
    """``decision = sigmoid(logit) >= threshold``.

    Args:
        threshold: least probability of an anomaly, 0 to 1.
    """

    INPUT_SPECS: ClassVar[Ports] = {
        "logits": PortSpec(torch.float32, (-1, -1, -1, -1), "positive: anomalous")
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly")
    }
    PIXEL_PORTS = frozenset({"logits", "decisions"})

    def __init__(
        self, threshold: Annotated[float, Field(ge=0, le=1)] = 0.5, **hparams: Any
    ) -> None:
        super().__init__(threshold=threshold, **hparams)
        self.threshold = threshold

    def forward(self, logits: Tensor, **_: Any) -> dict[str, Tensor]:
        """Decide per pixel: logits [B, H, W, 1], float32, to bool of that shape."""
        return {"decisions": torch.sigmoid(logits) >= self.threshold}
