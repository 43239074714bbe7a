"""How good a result is: against the truth of the scene, and against float64."""

from dataclasses import dataclass

import numpy as np

from cuvis_fleet.demo.reference import global_rx, operating_point
from cuvis_fleet.demo.scene import Scene
from cuvis_fleet.demo.workflow import Outcome
from cuvis_fleet.pictures import Roc

_LARGEST_AUC_DIFFERENCE = 0.002


@dataclass(frozen=True)
class Evaluation:
    """What the served scores are worth.

    Attributes:
        deviation: largest relative distance of a score from float64.
        served: ROC of the served scores; None: the truth is not known.
        reference: ROC of the float64 reference; None likewise.
        operating_point: false alarm rate and detection rate of the decisions; None likewise.
    """

    deviation: float
    served: Roc | None = None
    reference: Roc | None = None
    operating_point: tuple[float, float] | None = None

    @classmethod
    def of(cls, scene: Scene, outcome: Outcome) -> "Evaluation":
        """Judge what came out of a scene."""
        exact_NHW = global_rx(scene.cubes_NHWC)
        distance_NHW = np.abs(outcome.scores_NHW - exact_NHW) / np.maximum(exact_NHW, 1e-9)
        truth = scene.truth_NHW
        if truth is None:
            return cls(float(distance_NHW.max()))
        return cls(
            deviation=float(distance_NHW.max()),
            served=Roc.of(outcome.scores_NHW, truth),
            reference=Roc.of(exact_NHW, truth),
            operating_point=operating_point(outcome.decisions_NHW, truth),
        )

    @property
    def difference(self) -> float:
        """By how much the served AUC is larger than the reference's; 0 without truth."""
        if self.served is None or self.reference is None:
            return 0.0
        return self.served.auc - self.reference.auc

    @property
    def objection(self) -> str:
        """Why the result is not good enough; empty: it is."""
        if abs(self.difference) <= _LARGEST_AUC_DIFFERENCE:
            return ""
        return f"The served AUC is more than {_LARGEST_AUC_DIFFERENCE} away from the reference."
