"""Draws the three channels of the cube with the largest weights of a selector."""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.visualizers.drawing import panels, show, stretched, to_picture
from fleet_engine.nodes.visualizers.visualizer_node import (
    Picture,
    UpTo,
    VisualizerNode,
    numbers,
    place,
)


@published("cuvis_ai.node.pipeline_visualization.CubeRGBVisualizer")
class CubeRGBVisualizer(VisualizerNode):
    """A false-colour image, and a plot of all weights over wavelength.

    Of the three channels with the largest weights, the one with the longest wavelength is shown in
    red, the one with the shortest in blue. Pictures are named ``viz_rgb_sample_<n>``.

    Args:
        up_to: maximum number of measurements drawn per batch; None: all.
    """

    TAGS = (NodeTag.IMAGE, NodeTag.RGB, NodeTag.HYPERSPECTRAL, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "cube": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "weights": PortSpec(torch.float32, (-1,), "one weight per channel"),
        "wavelengths": PortSpec(torch.int32, (-1,), "nm"),
    }

    def __init__(self, up_to: UpTo = 5, **hparams: Any) -> None:
        super().__init__(up_to=up_to, **hparams)
        self.up_to = up_to

    def forward(
        self, cube: Tensor, weights: Tensor, wavelengths: Tensor, context: Context, **_: Any
    ) -> dict[str, list[Artifact]]:
        """Draw one picture for each measurement.

        Args:
            cube: cube_BHWC, float32.
            weights: float32 [C].
            wavelengths: int32 [C], nm.
            context: the position in the run.

        Raises:
            InvalidInput: the number of weights or wavelengths differs from the number of channels.
        """
        channels = cube.shape[-1]
        for port, value in (("weights", weights), ("wavelengths", wavelengths)):
            if value.shape != (channels,):
                raise self.refuse(port, f"{value.numel()}", f"one for each of {channels} channels")
        weight_C, wavelength_C = numbers(weights), numbers(wavelengths)
        heaviest = np.argsort(-weight_C, kind="stable")[:3]
        chosen = heaviest[np.argsort(-wavelength_C[heaviest], kind="stable")]
        shown = np.resize(chosen, 3)
        names = ", ".join(f"{wavelength_C[channel]} nm" for channel in chosen)
        pictures = []
        for index in self.measurements(cube, self.up_to):
            figure, (image, bars) = panels(
                f"{self.name}: {place(context, index)}", 2, *cube.shape[1:3]
            )
            show(image, stretched(numbers(cube[index][..., shown])), f"red, green, blue: {names}")
            bars.set_title("weights", fontsize=9)
            bars.set_xlabel("wavelength, nm", fontsize=8)
            bars.tick_params(labelsize=7)
            width = float(np.ptp(wavelength_C)) / channels or 1.0
            bars.bar(wavelength_C, weight_C, width, color="lightgrey")
            for channel, colour in zip(chosen, ("red", "green", "blue"), strict=False):
                bars.bar(wavelength_C[channel], weight_C[channel], width, color=colour)
            pictures.append(Picture(f"viz_rgb_sample_{index}", index, to_picture(figure), names))
        return self.artifacts(pictures, context)
