"""Base class of nodes that draw decisions and ground truth over a background image."""

from abc import abstractmethod
from typing import Any, ClassVar

from torch import Tensor

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.context import Context
from fleet_engine.nodes.visualizers.drawing import Image
from fleet_engine.nodes.visualizers.mask_panels import MaskScene, draw_masks
from fleet_engine.nodes.visualizers.visualizer_node import (
    Picture,
    UpTo,
    VisualizerNode,
    numbers,
    place,
)


class MaskVisualizer(VisualizerNode):
    """Panels of background, scores, ground truth, decisions, and where the last two agree.

    Attributes:
        BACKGROUND_PORT: input port of the background.
        PICTURE_NAME: name of a picture, without the number of its measurement.
    """

    BACKGROUND_PORT: ClassVar[str]
    PICTURE_NAME: ClassVar[str]

    def __init__(self, up_to: UpTo, **hparams: Any) -> None:
        super().__init__(up_to=up_to, **hparams)
        self.up_to = up_to

    @abstractmethod
    def background(self, image_HWC: Tensor) -> tuple[Image, str]:
        """Return the background of one measurement and its title."""

    def draw(
        self,
        decisions: Tensor,
        image: Tensor,
        context: Context,
        mask: Tensor | None,
        scores: Tensor | None,
    ) -> dict[str, list[Artifact]]:
        """Draw one picture for each measurement.

        Args:
            decisions: bool [B, H, W, 1].
            image: image_BHWC, float32, the source of the backgrounds.
            context: the position in the run.
            mask: the ground truth, bool [B, H, W, 1].
            scores: float32 [B, H, W, 1].

        Raises:
            InvalidInput: the inputs differ in their pixels.
        """
        pixels = tuple(decisions.shape[:3])
        for port, value in ((self.BACKGROUND_PORT, image), ("mask", mask), ("scores", scores)):
            if value is not None:
                self.require_pixels(port, value, pixels)
        pictures = []
        for index in self.measurements(decisions, self.up_to):
            scene = MaskScene(
                *self.background(image[index]),
                numbers(decisions[index, ..., 0]),
                None if mask is None else numbers(mask[index, ..., 0]),
                None if scores is None else numbers(scores[index, ..., 0]),
            )
            picture, agreement = draw_masks(scene, f"{self.name}: {place(context, index)}")
            name = f"{self.PICTURE_NAME}_img{index:02d}"
            pictures.append(Picture(name, index, picture, agreement))
        return self.artifacts(pictures, context)
