"""Draws pixels in the plane of the first two principal components."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.visualizers.drawing import Image, panels, show, stretched, to_picture
from fleet_engine.nodes.visualizers.visualizer_node import (
    Picture,
    UpTo,
    VisualizerNode,
    numbers,
    place,
)

_MAX_POINTS = 20_000


@published("cuvis_ai.node.pipeline_visualization.PCAVisualization")
class PCAVisualization(VisualizerNode):
    """A scatter plot of the pixels coloured by position, its colour key, and a component image.

    In the component image, the first component is red and the second blue. If there are more than
    20000 pixels, they are subsampled evenly. Pictures are named ``pca_projection_img<nn>``.

    Args:
        up_to: maximum number of measurements drawn per batch; None: all.
    """

    TAGS = (NodeTag.IMAGE, NodeTag.DIM_REDUCTION, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "data": PortSpec(torch.float32, (-1, -1, -1, -1), "component_BHWK, K at least 2")
    }

    def __init__(self, up_to: UpTo = None, **hparams: Any) -> None:
        super().__init__(up_to=up_to, **hparams)
        self.up_to = up_to

    def forward(self, data: Tensor, context: Context, **_: Any) -> dict[str, list[Artifact]]:
        """Draw one picture for each measurement.

        Args:
            data: component_BHWK, float32.
            context: the position in the run.

        Raises:
            InvalidInput: there is only one component.
        """
        if data.shape[-1] < 2:
            raise self.refuse("data", f"{data.shape[-1]} components", "at least two")
        pictures = []
        for index in self.measurements(data, self.up_to):
            title = f"{self.name}: {place(context, index)}"
            picture = _draw(numbers(data[index, ..., :2]), title)
            pictures.append(
                Picture(
                    f"pca_projection_img{index:02d}",
                    index,
                    picture,
                    "first two principal components",
                )
            )
        return self.artifacts(pictures, context)


def _draw(plane_HW2: npt.NDArray[np.float32], title: str) -> npt.NDArray[np.uint8]:
    height, width = plane_HW2.shape[:2]
    figure, (scatter, key, image) = panels(title, 3, height, width)
    where = _position_colours(height, width)
    stride = -(-height * width // _MAX_POINTS)
    points, colours = plane_HW2.reshape(-1, 2)[::stride], where.reshape(-1, 3)[::stride]
    scatter.scatter(points[:, 0], points[:, 1], s=3, c=colours, linewidths=0)
    scatter.set_title("pixels", fontsize=9)
    scatter.set_xlabel("component 1", fontsize=8)
    scatter.set_ylabel("component 2", fontsize=8)
    scatter.tick_params(labelsize=7)
    show(key, where, "colour of each position")
    first, second = np.moveaxis(stretched(plane_HW2), 2, 0)
    show(
        image,
        np.stack([first, np.zeros_like(first), second], axis=2),
        "red: component 1, blue: component 2",
    )
    return to_picture(figure)


def _position_colours(height: int, width: int) -> Image:
    """Return an image in which red increases downwards and green to the right."""
    down, right = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    return np.stack([down, right, np.full_like(down, 0.5)], axis=2).astype(np.float32)
