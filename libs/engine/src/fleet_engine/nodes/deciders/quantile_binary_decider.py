"""Decides by a quantile of each measurement."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.deciders.decider import CalibratedDecider, Calibration
from fleet_engine.nodes.deciders.threshold_search import (
    agreement,
    best,
    candidate_levels,
    require_labelled,
)
from fleet_engine.nodes.statistics.quantiles import quantile, quantiles


@published(
    "cuvis_ai.deciders.binary_decider.QuantileBinaryDecider",
    "cuvis_ai.node.deciders.binary_decider.QuantileBinaryDecider",
)
class QuantileBinaryDecider(CalibratedDecider):
    """``decision = x >= q``, where q is a quantile of the values that x is compared with.

    The quantile is interpolated linearly between neighbouring values; their number is not limited.

    Args:
        quantile: level of the quantile, 0 to 1; 0.995 flags the highest half percent.
        reduce_dims: axes of [B, H, W, C] over which the quantile is taken; None: all values
            of a measurement; [1, 2]: each of its channels separately.
    """

    CATEGORY = NodeCategory.CONTROL
    TAGS = (
        NodeTag.MASK,
        NodeTag.SEGMENTATION,
        NodeTag.ANOMALY,
        NodeTag.POSTPROCESSING,
        NodeTag.CALIBRATION,
    )
    INPUT_SPECS: ClassVar[Ports] = {
        "logits": PortSpec(torch.float32, (-1, -1, -1, -1), "larger: more anomalous")
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly")
    }

    def __init__(
        self,
        quantile: Annotated[float, Field(ge=0, le=1)] = 0.995,
        reduce_dims: Annotated[list[Annotated[int, Field(ge=-4, le=3)]], Field(min_length=1)]
        | None = None,
        **hparams: Any,
    ) -> None:
        super().__init__(quantile=quantile, reduce_dims=reduce_dims, **hparams)
        self.quantile = quantile
        self.reduce_dims = reduce_dims

    def forward(self, logits: Tensor, **_: Any) -> dict[str, Tensor]:
        """Decide for each value: logits [B, H, W, C], float32, to bool of the same shape."""
        return {"decisions": logits >= quantile(logits, self.quantile, self.reduce_dims)}

    def calibrate(self, scores: Sequence[Tensor], targets: Sequence[Tensor]) -> Calibration:
        """Choose the quantile with the best pixel F1, or the larger of two equally good ones.

        Candidates are the current quantile and 256 others, whose distances from 1 form a geometric
        sequence from 1 / N to 1 / 2, where N is the number of pixels. A pixel counts as found if
        one of its channels is.

        Args:
            scores: one float32 [1, H, W, C] for each measurement.
            targets: one bool [1, H, W, 1] for each.

        Raises:
            CalibrationImpossible: only one class occurs, or a score is NaN or infinite.
        """
        require_labelled(self.name, scores, targets)
        pixels = sum(target.numel() for target in targets)
        levels = np.unique([*candidate_levels(pixels), self.quantile])
        agreements = np.zeros((len(levels), 3), np.int64)
        for frame, truth in zip(scores, targets, strict=True):
            borders = quantiles(frame, levels.tolist(), self.reduce_dims)
            for row, border in enumerate(borders):
                found = (frame >= border).any(dim=-1, keepdim=True)
                agreements[row] += agreement(found, truth)
        index, metrics = best(agreements)
        before, self.quantile = self.quantile, float(levels[index])
        self.hparams["quantile"] = self.quantile
        return Calibration({"quantile": before}, {"quantile": self.quantile}, metrics)
