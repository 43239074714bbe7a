"""Turns logits into decisions."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.deciders.decider import CalibratedDecider, Calibration
from fleet_engine.nodes.deciders.threshold_search import best_threshold, require_labelled


@published(
    "cuvis_ai.deciders.binary_decider.BinaryDecider",
    "cuvis_ai.node.deciders.binary_decider.BinaryDecider",
)
class BinaryDecider(CalibratedDecider):
    """``decision = sigmoid(logit) >= threshold``.

    Args:
        threshold: minimum probability of an anomaly, 0 to 1.
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
        "logits": PortSpec(torch.float32, (-1, -1, -1, -1), "positive: anomalous")
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly")
    }
    PIXEL_PORTS = frozenset({"logits", "decisions"})

    def __init__(
        self, threshold: Annotated[float, Field(ge=0, le=1)] = 0.5, **hparams: Any
    ) -> None:
        super().__init__(threshold=threshold, **hparams)
        self.threshold = threshold

    def forward(self, logits: Tensor, **_: Any) -> dict[str, Tensor]:
        """Decide for each pixel: logits [B, H, W, 1], float32, to bool of the same shape."""
        return {"decisions": torch.sigmoid(logits) >= self.threshold}

    def calibrate(self, scores: Sequence[Tensor], targets: Sequence[Tensor]) -> Calibration:
        """Choose the threshold with the best pixel F1, or the larger of two equally good ones.

        Candidates are quantiles of the probabilities of all pixels, see `best_threshold`; of
        several channels, the largest counts.

        Args:
            scores: logits, one float32 [1, H, W, C] for each measurement.
            targets: one bool [1, H, W, 1] for each.

        Raises:
            CalibrationImpossible: only one class occurs, or a logit is NaN or infinite.
        """
        require_labelled(self.name, scores, targets)
        probability_N = torch.cat([torch.sigmoid(frame).amax(-1).flatten() for frame in scores])
        target_N = torch.cat([target.flatten() for target in targets])
        before = self.threshold
        self.threshold, metrics = best_threshold(
            probability_N.cpu().numpy(), target_N.cpu().numpy()
        )
        self.hparams["threshold"] = self.threshold
        return Calibration({"threshold": before}, {"threshold": self.threshold}, metrics)
