"""Turns class ids into anomaly labels and passes the cube through."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec, describe
from fleet_engine.nodes.data.anomaly_label_node import AnomalyLabelNode


@published("cuvis_ai.node.labels.BinaryAnomalyLabelMapper")
class BinaryAnomalyLabelMapper(AnomalyLabelNode):
    """Labels pixels as normal or anomalous by their class id.

    A pixel is anomalous if its class is in `anomaly_class_ids` or, if that is not given, if it is
    not in `normal_class_ids`.

    Args:
        normal_class_ids: ids of the classes that are background.
        anomaly_class_ids: ids of the classes that are anomalies; None: all others.

    Raises:
        ValueError: an id is in both lists.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (NodeTag.MASK, NodeTag.ANOMALY, NodeTag.PREPROCESSING)
    INPUT_SPECS: ClassVar[Ports] = {
        "cube": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "mask": PortSpec(torch.int32, (-1, -1, -1, 1), "class ids", checked_by_node=True),
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "cube": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "mask": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly"),
    }

    def forward(self, cube: Tensor, mask: Tensor, **_: Any) -> dict[str, Tensor]:
        """Label each pixel.

        Args:
            cube: cube_BHWC, float32.
            mask: class ids [B, H, W, 1], any integer dtype.

        Returns:
            cube unchanged, and mask bool [B, H, W, 1].

        Raises:
            InvalidInput: the mask does not match the cube.
        """
        extent = (*cube.shape[:3], 1)
        if mask.is_floating_point() or mask.shape != extent:
            raise self.refuse("mask", describe(mask), f"integer class ids {list(extent)}")
        return {"cube": cube, "mask": self.anomalous(mask)}
