"""Entropy of the weights of a channel selector."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.metrics.model_metric_node import ModelMetricNode


@published("cuvis_ai.node.metrics.SelectorEntropyMetric")
class SelectorEntropyMetric(ModelMetricNode):
    """``selector/entropy = -sum p ln(p + eps)`` with ``p = w / (sum w + eps)``, in nats.

    The entropy is ln C for C equal weights, and 0 if a single channel has all the weight.

    Args:
        eps: keeps quotient and logarithm finite.
    """

    TAGS = (NodeTag.DIM_REDUCTION, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "weights": PortSpec(torch.float32, (-1,), "one weight per channel, >= 0")
    }

    def __init__(self, eps: Annotated[float, Field(gt=0)] = 1e-6, **hparams: Any) -> None:
        super().__init__(eps=eps, **hparams)
        self.eps = eps

    def describe(self, *, weights: Tensor, **_: Any) -> dict[str, Tensor]:
        """Measure weights [C]."""
        share_C = weights / (weights.sum() + self.eps)
        return {"selector/entropy": -(share_C * (share_C + self.eps).log()).sum()}
