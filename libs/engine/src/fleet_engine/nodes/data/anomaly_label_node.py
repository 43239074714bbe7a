"""Base class of nodes that turn class ids into anomaly labels."""

from typing import Any

from fleet_engine.graph.node import Node
from fleet_engine.nodes.data.anomaly_classes import AnomalyClasses


class AnomalyLabelNode(Node):
    """A node that knows which classes are anomalies.

    Attributes:
        anomalous: maps class ids to anomaly labels.
    """

    PIXEL_PORTS = frozenset({"cube", "mask"})

    def __init__(
        self,
        normal_class_ids: list[int],
        anomaly_class_ids: list[int] | None = None,
        **hparams: Any,
    ) -> None:
        super().__init__(
            normal_class_ids=normal_class_ids, anomaly_class_ids=anomaly_class_ids, **hparams
        )
        self.anomalous = AnomalyClasses(normal_class_ids, anomaly_class_ids)
