"""Number of pixels that are decided to be anomalous."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.metrics.metric_node import MetricNode


@published("cuvis_ai.node.metrics.AnomalyPixelStatisticsMetric")
class AnomalyPixelStatisticsMetric(MetricNode):
    """Number of pixels, number of anomalous pixels, and the percentage of the latter.

    Names: ``anomaly/total_pixels``, ``anomaly/anomalous_pixels``, ``anomaly/anomaly_percentage``.
    """

    TAGS = (NodeTag.MASK, NodeTag.ANOMALY, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly")
    }

    def sums(self, *, decisions: Tensor, **_: Any) -> dict[str, Tensor]:
        """Count the pixels of decisions [B, H, W, 1]."""
        return {
            "total": torch.tensor(decisions.numel(), device=decisions.device),
            "anomalous": decisions.sum(),
        }

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the counts and their ratio."""
        total, anomalous = float(sums["total"]), float(sums["anomalous"])
        return {
            "anomaly/total_pixels": total,
            "anomaly/anomalous_pixels": anomalous,
            "anomaly/anomaly_percentage": 100 * anomalous / total if total else 0.0,
        }
