"""Diversity of the weights of a channel selector."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.metrics.model_metric_node import ModelMetricNode


@published("cuvis_ai.node.metrics.SelectorDiversityMetric")
class SelectorDiversityMetric(ModelMetricNode):
    """Population variance and Gini coefficient of the weights.

    The Gini coefficient is ``sum_i (2 i - C - 1) w_(i) / (C sum w)`` over the weights in ascending
    order, i from 1: 0 for equal weights (even if all are zero), (C - 1) / C if a single channel has
    all the weight.
    """

    TAGS = (NodeTag.DIM_REDUCTION, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "weights": PortSpec(torch.float32, (-1,), "one weight per channel, >= 0")
    }

    def describe(self, *, weights: Tensor, **_: Any) -> dict[str, Tensor]:
        """Measure weights [C]."""
        channels = len(weights)
        rank_C = torch.arange(1, channels + 1, dtype=weights.dtype, device=weights.device)
        spread = ((2 * rank_C - channels - 1) * weights.sort().values).sum()
        whole = channels * weights.sum()
        return {
            "weight_variance": weights.var(correction=0),
            "gini_coefficient": torch.where(whole == 0, 0.0, spread / whole),
        }
