"""Fraction of the variance that each principal component explains."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.metrics.model_metric_node import ModelMetricNode


@published("cuvis_ai.node.metrics.ExplainedVarianceMetric")
class ExplainedVarianceMetric(ModelMetricNode):
    """Explained variance of each component, of the first k components, and of all.

    Names: ``explained_variance_pc<k>``, ``cumulative_variance_pc<k>``, both from k = 1, and
    ``total_explained_variance``.
    """

    TAGS = (NodeTag.DIM_REDUCTION, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "explained_variance_ratio": PortSpec(torch.float32, (-1,), "share_K, 0 to 1")
    }

    def describe(self, *, explained_variance_ratio: Tensor, **_: Any) -> dict[str, Tensor]:
        """Return the ratios and their cumulative sums by name."""
        ratios = explained_variance_ratio
        single = {f"explained_variance_pc{k}": ratio for k, ratio in enumerate(ratios, 1)}
        running = {
            f"cumulative_variance_pc{k}": ratio for k, ratio in enumerate(ratios.cumsum(0), 1)
        }
        return {**single, "total_explained_variance": ratios.sum(), **running}
