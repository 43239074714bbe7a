"""Draws decisions and ground truth over a colour image."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.visualizers.drawing import Image, stretched
from fleet_engine.nodes.visualizers.mask_visualizer import MaskVisualizer
from fleet_engine.nodes.visualizers.visualizer_node import UpTo, numbers


@published("cuvis_ai.node.anomaly_visualization.RGBAnomalyMask")
class RGBAnomalyMask(MaskVisualizer):
    """The panels of `AnomalyMask` over an image of three channels.

    Hits are green, false alarms red, misses yellow. Pictures are named
    ``rgb_anomaly_mask_img<nn>``.

    Args:
        up_to: maximum number of measurements drawn per batch; None: all.
    """

    TAGS = (NodeTag.IMAGE, NodeTag.RGB, NodeTag.ANOMALY, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: found"),
        "mask": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly", optional=True),
        "rgb_image": PortSpec(torch.float32, (-1, -1, -1, 3), "red, green, blue"),
        "scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: anomalous", optional=True),
    }

    BACKGROUND_PORT = "rgb_image"
    PICTURE_NAME = "rgb_anomaly_mask"

    def __init__(self, up_to: UpTo = None, **hparams: Any) -> None:
        super().__init__(up_to, **hparams)

    def forward(
        self,
        decisions: Tensor,
        rgb_image: Tensor,
        context: Context,
        mask: Tensor | None = None,
        scores: Tensor | None = None,
        **_: Any,
    ) -> dict[str, list[Artifact]]:
        """Draw one picture for each measurement.

        Args:
            decisions: bool [B, H, W, 1].
            rgb_image: float32 [B, H, W, 3], of any range.
            context: the position in the run.
            mask: the ground truth, bool [B, H, W, 1].
            scores: float32 [B, H, W, 1].

        Raises:
            InvalidInput: the inputs differ in their pixels.
        """
        return self.draw(decisions, rgb_image, context, mask, scores)

    def background(self, image_HWC: Tensor) -> tuple[Image, str]:
        """Return the image with stretched contrast."""
        return stretched(numbers(image_HWC)), "picture"
