"""Draws scores as a heat map."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.visualizers.drawing import panels, show_scores, to_picture
from fleet_engine.nodes.visualizers.visualizer_node import (
    Picture,
    UpTo,
    VisualizerNode,
    numbers,
    place,
)
from fleet_platform.errors import InvalidInput


@published("cuvis_ai.node.anomaly_visualization.ScoreHeatmapVisualizer")
class ScoreHeatmapVisualizer(VisualizerNode):
    """One panel of scores with a colour bar. Pictures are named ``score_heatmap_img<nn>``.

    Args:
        normalize_scores: scale the scores of each measurement to [0, 1] by their minimum and
            maximum.
        cmap: name of a matplotlib colour map.
        up_to: maximum number of measurements drawn per batch; None: all.
    """

    TAGS = (NodeTag.IMAGE, NodeTag.ANOMALY, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: more anomalous")
    }

    def __init__(
        self,
        normalize_scores: bool = True,
        cmap: str = "inferno",
        up_to: UpTo = 5,
        **hparams: Any,
    ) -> None:
        super().__init__(normalize_scores=normalize_scores, cmap=cmap, up_to=up_to, **hparams)
        self.normalize_scores = normalize_scores
        self.cmap = cmap
        self.up_to = up_to

    def forward(self, scores: Tensor, context: Context, **_: Any) -> dict[str, list[Artifact]]:
        """Draw one picture for each measurement: scores float32 [B, H, W, 1].

        Raises:
            InvalidInput: matplotlib does not have this colour map.
        """
        from matplotlib import colormaps

        if self.cmap not in colormaps:
            raise InvalidInput(
                f"Node '{self.name}', hparam 'cmap': matplotlib has no colour map "
                f"'{self.cmap}'; use, for example, inferno, viridis or gray."
            )
        pictures = []
        for index in self.measurements(scores, self.up_to):
            scores_HW = numbers(scores[index, ..., 0])
            low, high = float(scores_HW.min()), float(scores_HW.max())
            label = f"scores {low:.4g} to {high:.4g}"
            if self.normalize_scores:
                scores_HW = (scores_HW - low) / (high - low or 1.0)
                label += ", shown as 0 to 1"
            figure, (axes,) = panels(f"{self.name}\n{place(context, index)}", 1, *scores_HW.shape)
            show_scores(axes, scores_HW, label, self.cmap)
            pictures.append(
                Picture(f"score_heatmap_img{index:02d}", index, to_picture(figure), label)
            )
        return self.artifacts(pictures, context)
