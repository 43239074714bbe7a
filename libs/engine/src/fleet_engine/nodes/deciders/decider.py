"""Base class of deciders whose threshold can be calibrated on labelled data."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from fleet_engine.graph.node import Node
from fleet_platform.errors import InvalidInput


class CalibrationImpossible(InvalidInput):
    """The scores and labels do not determine a threshold; the text says why."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Result of the calibration of a decider.

    Attributes:
        before: previous values of the hparams that calibration may change, by name.
        after: their new values.
        metrics: metrics by name on the calibration data, with the new hparams.
    """

    before: Mapping[str, float]
    after: Mapping[str, float]
    metrics: Mapping[str, float]


class CalibratedDecider(Node):
    """A decider whose threshold `calibrate` finds; the threshold is an hparam, not a weight."""

    @abstractmethod
    def calibrate(self, scores: Sequence[Tensor], targets: Sequence[Tensor]) -> Calibration:
        """Choose the threshold with the best pixel F1 and store it as an hparam of the node.

        Args:
            scores: values of the input `logits`, one float32 [1, H, W, C] for each measurement.
            targets: the ground truth, one bool [1, H, W, 1] for each.

        Raises:
            CalibrationImpossible: only one class occurs, or a score is NaN or infinite; nothing was
                changed.
        """
