"""Draws decisions and ground truth over a channel of the cube."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.visualizers.drawing import Image, grey
from fleet_engine.nodes.visualizers.mask_visualizer import MaskVisualizer
from fleet_engine.nodes.visualizers.visualizer_node import UpTo, numbers


@published("cuvis_ai.node.anomaly_visualization.AnomalyMask")
class AnomalyMask(MaskVisualizer):
    """Panels of one channel, the scores, ground truth, decisions, and where the last two agree.

    Hits are green, false alarms red, misses yellow. Pictures are named ``anomaly_mask_img<nn>``.

    Args:
        channel: channel of the grey background.
        up_to: maximum number of measurements drawn per batch; None: all.
    """

    TAGS = (NodeTag.IMAGE, NodeTag.ANOMALY, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: found"),
        "mask": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly", optional=True),
        "cube": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: anomalous", optional=True),
    }

    BACKGROUND_PORT = "cube"
    PICTURE_NAME = "anomaly_mask"

    def __init__(
        self, channel: Annotated[int, Field(ge=0)], up_to: UpTo = None, **hparams: Any
    ) -> None:
        super().__init__(up_to, channel=channel, **hparams)
        self.channel = channel

    def forward(
        self,
        decisions: Tensor,
        cube: Tensor,
        context: Context,
        mask: Tensor | None = None,
        scores: Tensor | None = None,
        **_: Any,
    ) -> dict[str, list[Artifact]]:
        """Draw one picture for each measurement.

        Args:
            decisions: bool [B, H, W, 1].
            cube: cube_BHWC, float32.
            context: the position in the run.
            mask: the ground truth, bool [B, H, W, 1].
            scores: float32 [B, H, W, 1].

        Raises:
            InvalidInput: the cube has no such channel, or the inputs differ in their pixels.
        """
        if self.channel >= cube.shape[-1]:
            raise self.refuse(
                "cube",
                f"{cube.shape[-1]} channels",
                f"more than {self.channel}, as the hparam channel requires",
            )
        return self.draw(decisions, cube, context, mask, scores)

    def background(self, image_HWC: Tensor) -> tuple[Image, str]:
        """Return one channel as a grey image."""
        return grey(numbers(image_HWC[..., self.channel])), f"channel {self.channel}"
