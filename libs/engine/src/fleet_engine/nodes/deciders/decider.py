"""What deciders whose threshold can be found from labelled data have in common."""

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
    """How a decider was calibrated.

    Attributes:
        before: the hparams that calibration may change, by name, as they were.
        after: the same as they are now.
        metrics: numbers by name on the data that calibration saw, with the new hparams.
    """

    before: Mapping[str, float]
    after: Mapping[str, float]
    metrics: Mapping[str, float]


class CalibratedDecider(Node):
    """Decides by a threshold that `calibrate` finds; the threshold is an hparam, not a weight."""

    @abstractmethod
    def calibrate(self, scores: Sequence[Tensor], targets: Sequence[Tensor]) -> Calibration:
        """Choose the threshold with the best pixel F1 and keep it as the node's hparam.

        Args:
            scores: what came in at `logits`, one float32 [1, H, W, C] for each measurement.
            targets: the truth, one bool [1, H, W, 1] for each.

        Raises:
            CalibrationImpossible: only one class occurs, or a score is NaN or infinite; nothing was
                changed.
        """
