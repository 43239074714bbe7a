"""Pictures of the input and output of a mixer, the ground truth and the scores."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.graph.stage import Stage
from fleet_engine.nodes.visualizers.drawing import stretched, to_bytes
from fleet_engine.nodes.visualizers.visualizer_node import Picture, VisualizerNode, numbers

_Channel = Annotated[int, Field(ge=0)]


@published("cuvis_ai.node.pipeline_visualization.PipelineComparisonVisualizer")
class PipelineComparisonVisualizer(VisualizerNode):
    """Four pictures of each measurement at its own resolution, without frame or text.

    ``hsi_input_sample_<n>``, the cube in false colours; ``mixer_output_adaclip_input_sample_<n>``;
    ``ground_truth_mask_sample_<n>``, with white anomalies; ``adaclip_scores_heatmap_sample_<n>``,
    from dark for the lowest score to bright for the highest.

    Args:
        hsi_channels: three channels shown as red, green and blue; None: 0, 20 and 40. A channel
            that the cube does not have is replaced by its last one.
        max_samples: maximum number of measurements drawn per batch.
        log_every_n_batches: draw every n-th batch, beginning with the first.
    """

    TAGS = (NodeTag.IMAGE, NodeTag.ANOMALY, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "hsi_cube": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "mixer_output": PortSpec(torch.float32, (-1, -1, -1, 3), "red, green, blue"),
        "ground_truth_mask": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly"),
        "adaclip_scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: more anomalous"),
    }
    STAGES = frozenset({Stage.TRAIN, Stage.VAL, Stage.TEST})

    def __init__(
        self,
        hsi_channels: Annotated[list[_Channel], Field(min_length=3, max_length=3)] | None = None,
        max_samples: Annotated[int, Field(ge=0)] = 4,
        log_every_n_batches: Annotated[int, Field(gt=0)] = 1,
        **hparams: Any,
    ) -> None:
        super().__init__(
            hsi_channels=hsi_channels,
            max_samples=max_samples,
            log_every_n_batches=log_every_n_batches,
            **hparams,
        )
        self.hsi_channels = [0, 20, 40] if hsi_channels is None else hsi_channels
        self.max_samples = max_samples
        self.log_every_n_batches = log_every_n_batches

    def forward(
        self,
        hsi_cube: Tensor,
        mixer_output: Tensor,
        ground_truth_mask: Tensor,
        adaclip_scores: Tensor,
        context: Context,
        **_: Any,
    ) -> dict[str, list[Artifact]]:
        """Draw the four pictures of each measurement.

        Args:
            hsi_cube: cube_BHWC, float32.
            mixer_output: float32 [B, H, W, 3], of any range.
            ground_truth_mask: bool [B, H, W, 1].
            adaclip_scores: float32 [B, H, W, 1].
            context: the position in the run.
        """
        if context.batch_idx % self.log_every_n_batches:
            return self.artifacts((), context)
        channels = [min(channel, hsi_cube.shape[-1] - 1) for channel in self.hsi_channels]
        pictures = (
            picture
            for index in self.measurements(hsi_cube, self.max_samples)
            for picture in _draw(
                index,
                numbers(hsi_cube[index][..., channels]),
                numbers(mixer_output[index]),
                numbers(ground_truth_mask[index, ..., 0]),
                numbers(adaclip_scores[index, ..., 0]),
            )
        )
        return self.artifacts(pictures, context)


def _draw(
    index: int,
    cube_HW3: npt.NDArray[np.float32],
    mixed_HW3: npt.NDArray[np.float32],
    mask_HW: npt.NDArray[np.bool_],
    scores_HW: npt.NDArray[np.float32],
) -> Iterator[Picture]:
    from matplotlib import colormaps

    heat = colormaps["inferno"](stretched(scores_HW))[..., :3]
    named = (
        ("hsi_input", stretched(cube_HW3), "the cube in false colours"),
        ("mixer_output_adaclip_input", stretched(mixed_HW3), "the output of the mixer"),
        ("ground_truth_mask", np.repeat(mask_HW[..., None], 3, axis=2), "the truth"),
        ("adaclip_scores_heatmap", heat, "the scores, dark to bright"),
    )
    for name, image, desc in named:
        yield Picture(f"{name}_sample_{index}", index, to_bytes(image.astype(np.float32)), desc)
