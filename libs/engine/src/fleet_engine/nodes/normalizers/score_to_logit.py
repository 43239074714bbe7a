"""Shifts and scales scores so that zero separates normal from anomalous pixels."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.statistics.moments import Moments
from fleet_engine.nodes.statistics.statistics_node import StatisticsNode


@published("cuvis_ai.node.conversion.ScoreToLogit")
class ScoreToLogit(StatisticsNode[Moments]):
    """``logit = scale * (score - bias)``.

    A fit sets bias to mean + 2 sample standard deviations of the training pixels' scores, and
    does not change scale. Until then, the initial values apply.

    Args:
        init_scale: initial scale.
        init_bias: initial bias.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (NodeTag.ANOMALY, NodeTag.POSTPROCESSING, NodeTag.LEARNABLE, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {
        "scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: more anomalous")
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "logits": PortSpec(torch.float32, (-1, -1, -1, 1), "positive: anomalous")
    }
    TRAINABLE_BUFFERS = ("scale", "bias")
    PIXEL_PORTS = frozenset({"scores", "logits"})
    USABLE_UNFITTED = True

    scale: Tensor
    bias: Tensor

    def __init__(self, init_scale: float = 1.0, init_bias: float = 0.0, **hparams: Any) -> None:
        super().__init__(init_scale=init_scale, init_bias=init_bias, **hparams)
        self.register_buffer("scale", torch.tensor(float(init_scale)))
        self.register_buffer("bias", torch.tensor(float(init_bias)))
        self.statistics = self.new_statistics()

    def new_statistics(self) -> Moments:
        """Return empty statistics on the device of the node."""
        return Moments(1, self.bias.device)

    def fit_update(self, *, scores: Tensor, **_: Any) -> None:
        """Add scores of any shape to the statistics."""
        self.statistics.update(scores.reshape(-1, 1))

    def fit_end(self) -> None:
        """Set the bias."""
        spread = self.statistics.covariance()[0, 0].sqrt()
        self.store("bias", self.statistics.mean_C[0] + 2.0 * spread)
        self.fitted = True

    def forward(self, scores: Tensor, **_: Any) -> dict[str, Tensor]:
        """Convert scores [B, H, W, 1], float32; the shape is kept."""
        return {"logits": self.scale * (scores - self.bias)}
