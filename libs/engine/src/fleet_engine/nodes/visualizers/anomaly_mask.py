"""Draws where decisions and truth agree, over a channel of the cube."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.visualizers.drawing import grey
from fleet_engine.nodes.visualizers.mask_panels import MaskScene, draw_masks
from fleet_engine.nodes.visualizers.visualizer_node import (
    Picture,
    UpTo,
    VisualizerNode,
    numbers,
    place,
)


@published("cuvis_ai.node.anomaly_visualization.AnomalyMask")
class AnomalyMask(VisualizerNode):
    """Panels of one channel, scores, truth, finds, and hits, false alarms and misses in colours.

    Hits are green, false alarms red, misses yellow. Pictures are named ``anomaly_mask_img<nn>``.

    Args:
        channel: channel of the grey background.
        up_to: most measurements drawn per batch; None: all.
    """

    TAGS = (NodeTag.IMAGE, NodeTag.ANOMALY, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: found"),
        "mask": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly", optional=True),
        "cube": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: anomalous", optional=True),
    }

    def __init__(
        self, channel: Annotated[int, Field(ge=0)], up_to: UpTo = None, **hparams: Any
    ) -> None:
        super().__init__(channel=channel, up_to=up_to, **hparams)
        self.channel = channel
        self.up_to = up_to

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
            context: where the run stands.
            mask: the truth, bool [B, H, W, 1].
            scores: float32 [B, H, W, 1].

        Raises:
            InvalidInput: the cube has no such channel, or inputs are not of the same pixels.
        """
        if self.channel >= cube.shape[-1]:
            raise self.refuse(
                "cube",
                f"{cube.shape[-1]} channels",
                f"more than {self.channel}, which the hparam channel names",
            )
        pixels = tuple(decisions.shape[:3])
        for port, value in (("cube", cube), ("mask", mask), ("scores", scores)):
            if value is not None:
                self.require_pixels(port, value, pixels)
        pictures = []
        for index in self.measurements(decisions, self.up_to):
            scene = MaskScene(
                grey(numbers(cube[index, ..., self.channel])),
                f"channel {self.channel}",
                numbers(decisions[index, ..., 0]),
                None if mask is None else numbers(mask[index, ..., 0]),
                None if scores is None else numbers(scores[index, ..., 0]),
            )
            picture, agreement = draw_masks(scene, f"{self.name}: {place(context, index)}")
            pictures.append(Picture(f"anomaly_mask_img{index:02d}", index, picture, agreement))
        return self.artifacts(pictures, context)
