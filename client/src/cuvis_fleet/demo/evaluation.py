"""Evaluates a result against the truth of the scene and a float64 reference."""

from dataclasses import dataclass

import numpy as np

from cuvis_fleet.demo.reference import global_rx, operating_point
from cuvis_fleet.demo.scene import Scene
from cuvis_fleet.demo.workflow import Outcome
from cuvis_fleet.pictures import Roc

_MAX_AUC_DIFFERENCE = 0.002


@dataclass(frozen=True)
class Evaluation:
    """The quality of the served scores.

    Attributes:
        deviation: maximum relative deviation of a score from float64.
        served: ROC of the served scores; None: the truth is unknown.
        reference: ROC of the float64 reference; None likewise.
        operating_point: false alarm rate and detection rate of the decisions; None likewise.
    """

    deviation: float
    served: Roc | None = None
    reference: Roc | None = None
    operating_point: tuple[float, float] | None = None

    @classmethod
    def of(cls, scene: Scene, outcome: Outcome) -> "Evaluation":
        """Evaluate the outcome for a scene."""
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
        """The served AUC minus the reference's; 0 without truth."""
        if self.served is None or self.reference is None:
            return 0.0
        return self.served.auc - self.reference.auc

    @property
    def objection(self) -> str:
        """Why the result is not acceptable; empty: it is."""
        if abs(self.difference) <= _MAX_AUC_DIFFERENCE:
            return ""
        return f"The served AUC differs from the reference by more than {_MAX_AUC_DIFFERENCE}."
