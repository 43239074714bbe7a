"""Input of a pipeline: cube, wavelengths and class labels."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec, describe
from fleet_engine.nodes.data.anomaly_label_node import AnomalyLabelNode


@published("cuvis_ai.node.data.LentilsAnomalyDataNode")
class LentilsAnomalyDataNode(AnomalyLabelNode):
    """Casts the cube to float32, without scaling, and turns class ids into an anomaly mask.

    A pixel is anomalous if its class is in `anomaly_class_ids` or, if that is not given, if it is
    not in `normal_class_ids`.

    Args:
        normal_class_ids: ids of the classes that are background.
        anomaly_class_ids: ids of the classes that are anomalies; None: all others.

    Raises:
        ValueError: an id is in both lists.
    """

    CATEGORY = NodeCategory.SOURCE
    TAGS = (NodeTag.HYPERSPECTRAL, NodeTag.MASK, NodeTag.ANOMALY)
    INPUT_SPECS: ClassVar[Ports] = {
        "cube": PortSpec(None, (-1, -1, -1, -1), "cube_BHWC as measured"),
        "mask": PortSpec(
            torch.int32, (-1, -1, -1), "class ids", optional=True, checked_by_node=True
        ),
        "wavelengths": PortSpec(
            torch.int32, (-1, -1), "nm, of each measurement or [C]", checked_by_node=True
        ),
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "cube": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "mask": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly", optional=True),
        "wavelengths": PortSpec(torch.int32, (-1,), "nm", optional=True),
    }

    def forward(
        self, cube: Tensor, wavelengths: Tensor, mask: Tensor | None = None, **_: Any
    ) -> dict[str, Tensor]:
        """Cast the cube and label its pixels.

        Args:
            cube: cube_BHWC, any real dtype.
            wavelengths: [B, C] (the first row is used) or [C], nm; floats are rounded.
            mask: class ids [B, H, W], any integer dtype.

        Returns:
            cube float32 [B, H, W, C], wavelengths int32 [C], and mask bool [B, H, W, 1] if given.

        Raises:
            InvalidInput: wavelengths or mask do not match the cube.
        """
        outputs = {
            "cube": cube.to(torch.float32),
            "wavelengths": self._first_row(wavelengths, cube.shape[-1]),
        }
        if mask is not None:
            outputs["mask"] = self._labels(mask, cube)
        return outputs

    def _first_row(self, wavelengths: Tensor, channels: int) -> Tensor:
        if wavelengths.ndim not in (1, 2) or wavelengths.shape[-1] != channels:
            raise self.refuse(
                "wavelengths",
                describe(wavelengths),
                f"[B, C] or [C] with the {channels} channels of the cube",
            )
        row_C = wavelengths[0] if wavelengths.ndim == 2 else wavelengths
        if row_C.is_floating_point():
            row_C = row_C.round()
        return row_C.to(torch.int32)

    def _labels(self, mask: Tensor, cube: Tensor) -> Tensor:
        if mask.is_floating_point() or mask.shape != cube.shape[:3]:
            raise self.refuse(
                "mask", describe(mask), f"integer class ids {list(cube.shape[:3])} [B, H, W]"
            )
        anomalous_BHW: Tensor = self.anomalous(mask)
        return anomalous_BHW.unsqueeze(-1)
