"""How much of the data's variance each principal component holds."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.metrics.model_metric_node import ModelMetricNode


@published("cuvis_ai.node.metrics.ExplainedVarianceMetric")
class ExplainedVarianceMetric(ModelMetricNode):
    """Shares of the variance: of each component, of the first k together, and of all.

    Names: ``explained_variance_pc<k>``, ``cumulative_variance_pc<k>``, both from k = 1, and
    ``total_explained_variance``.
    """

    TAGS = (NodeTag.DIM_REDUCTION, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "explained_variance_ratio": PortSpec(torch.float32, (-1,), "share_K, 0 to 1")
    }

    def describe(self, *, explained_variance_ratio: Tensor, **_: Any) -> dict[str, Tensor]:
        """Name the shares and their running sums."""
        shares = explained_variance_ratio
        single = {f"explained_variance_pc{k}": share for k, share in enumerate(shares, 1)}
        running = {
            f"cumulative_variance_pc{k}": share for k, share in enumerate(shares.cumsum(0), 1)
        }
        return {**single, "total_explained_variance": shares.sum(), **running}
