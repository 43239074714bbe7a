"""Draws where decisions and truth agree, over a picture in colours."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.visualizers.drawing import stretched
from fleet_engine.nodes.visualizers.mask_panels import MaskScene, draw_masks
from fleet_engine.nodes.visualizers.visualizer_node import (
    Picture,
    UpTo,
    VisualizerNode,
    numbers,
    place,
)


@published("cuvis_ai.node.anomaly_visualization.RGBAnomalyMask")
class RGBAnomalyMask(VisualizerNode):
    """The panels of `AnomalyMask` over a picture of three channels.

    Hits are green, false alarms red, misses yellow. Pictures are named
    ``rgb_anomaly_mask_img<nn>``.

    Args:
        up_to: most measurements drawn per batch; None: all.
    """

    TAGS = (NodeTag.IMAGE, NodeTag.RGB, NodeTag.ANOMALY, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: found"),
        "mask": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly", optional=True),
        "rgb_image": PortSpec(torch.float32, (-1, -1, -1, 3), "red, green, blue"),
        "scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: anomalous", optional=True),
    }

    def __init__(self, up_to: UpTo = None, **hparams: Any) -> None:
        super().__init__(up_to=up_to, **hparams)
        self.up_to = up_to

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
            context: where the run stands.
            mask: the truth, bool [B, H, W, 1].
            scores: float32 [B, H, W, 1].

        Raises:
            InvalidInput: inputs are not of the same pixels.
        """
        pixels = tuple(decisions.shape[:3])
        for port, value in (("rgb_image", rgb_image), ("mask", mask), ("scores", scores)):
            if value is not None:
                self.require_pixels(port, value, pixels)
        pictures = []
        for index in self.measurements(decisions, self.up_to):
            scene = MaskScene(
                stretched(numbers(rgb_image[index])),
                "picture",
                numbers(decisions[index, ..., 0]),
                None if mask is None else numbers(mask[index, ..., 0]),
                None if scores is None else numbers(scores[index, ..., 0]),
            )
            picture, agreement = draw_masks(scene, f"{self.name}: {place(context, index)}")
            pictures.append(Picture(f"rgb_anomaly_mask_img{index:02d}", index, picture, agreement))
        return self.artifacts(pictures, context)
