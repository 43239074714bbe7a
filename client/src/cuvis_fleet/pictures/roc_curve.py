"""ROC curves: how well scores separate anomalies from background."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cuvis_fleet.pictures.canvas import BLACK, DASHES, LINES, open_axes

_MAX_FLOOR = 0.1
"""Upper limit for the start of the false-alarm axis, for the case that the only rate is 1."""


@dataclass(frozen=True)
class Roc:
    """A receiver operating characteristic.

    Attributes:
        false_alarm_rate: rate for each threshold, ascending from 0 to 1.
        detection_rate: rate for the same thresholds.
        auc: area under the curve: the probability that an anomaly scores above a background pixel,
            counting ties half (Hanley & McNeil 1982).
    """

    false_alarm_rate: npt.NDArray[np.float64]
    detection_rate: npt.NDArray[np.float64]
    auc: float

    @classmethod
    def of(cls, scores: npt.ArrayLike, truth: npt.ArrayLike) -> "Roc":
        """Compare scores with the truth.

        Args:
            scores: any shape; larger is more anomalous.
            truth: the same number of values, not 0 where an anomaly is.

        Raises:
            ValueError: the sizes differ, or the truth has only one class.
        """
        values, anomalous = np.ravel(scores), np.ravel(truth) != 0
        if values.size != anomalous.size:
            raise ValueError(f"there are {values.size} scores, but {anomalous.size} truth values")
        positives = int(anomalous.sum())
        negatives = anomalous.size - positives
        if not positives or not negatives:
            raise ValueError("the truth has only one class; a curve needs both")
        order = np.argsort(-values, kind="stable")
        last_of_ties = np.append(np.diff(values[order]) != 0, True)
        hits = np.cumsum(anomalous[order])[last_of_ties]
        alarms = np.cumsum(~anomalous[order])[last_of_ties]
        false_alarm_rate = np.concatenate([[0.0], alarms / negatives])
        detection_rate = np.concatenate([[0.0], hits / positives])
        steps = np.diff(false_alarm_rate)
        auc = float((steps * (detection_rate[1:] + detection_rate[:-1]) / 2).sum())
        return cls(false_alarm_rate, detection_rate, auc)


def roc(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    *,
    decisions: npt.ArrayLike | None = None,
    title: str = "Scores against truth",
) -> Figure:
    """Draw the receiver operating characteristic with a logarithmic false-alarm axis.

    Args:
        scores: any shape; larger is more anomalous.
        truth: the same number of values, not 0 where an anomaly is.
        decisions: the same number of values, whose operating point is marked.
        title: title of the picture; the area under the curve is appended.

    Raises:
        ValueError: the sizes differ, or the truth has only one class.
    """
    curve = Roc.of(scores, truth)
    figure = Figure(figsize=(6.2, 5.6), layout="constrained")
    axes = figure.subplots()
    open_axes(axes)
    point = None
    if decisions is not None:
        anomalous, decided = np.ravel(truth) != 0, np.ravel(decisions) != 0
        if decided.size != anomalous.size:
            raise ValueError(f"there are {decided.size} decisions, but {anomalous.size} scores")
        point = (float(decided[~anomalous].mean()), float(decided[anomalous].mean()))
    draw_roc(axes, {"": curve}, point)
    axes.set_title(f"{title}: AUC {curve.auc:.4f}")
    return figure


def draw_roc(
    axes: Axes, curves: Mapping[str, Roc], operating_point: tuple[float, float] | None = None
) -> None:
    """Draw curves and the operating point of decisions into `axes`."""
    rates = [curve.false_alarm_rate[curve.false_alarm_rate > 0].min() for curve in curves.values()]
    floor = min(_MAX_FLOOR, *rates)
    for index, (name, curve) in enumerate(curves.items()):
        axes.step(
            np.maximum(curve.false_alarm_rate, floor),
            curve.detection_rate,
            where="post",
            color=LINES[index],
            linestyle=DASHES[index],
            linewidth=2.4 - 0.9 * index,
            label=f"{name}, AUC {curve.auc:.4f}",
        )
    chance = np.geomspace(floor, 1, 100)
    axes.plot(chance, chance, color="0.5", linewidth=1, linestyle=":")
    axes.annotate("chance", (0.4, 0.5), color="0.4", fontsize=9.5, ha="right", va="bottom")
    if operating_point is not None:
        _mark(axes, operating_point, float(floor))
    axes.set_xscale("log")
    axes.set_xlim(floor, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("false alarm rate")
    axes.set_ylabel("detection rate")


def _mark(axes: Axes, point: tuple[float, float], floor: float) -> None:
    x = max(point[0], floor)
    axes.plot(
        x,
        point[1],
        marker="o",
        markersize=9,
        markerfacecolor="white",
        markeredgecolor=BLACK,
        linestyle="none",
        clip_on=False,
        zorder=5,
        label="decisions",
    )
    left = x < 0.03
    axes.annotate(
        f"decisions: {point[1]:.0%} found,\n{point[0]:.2%} false alarms",
        (x, point[1]),
        xytext=(10 if left else -10, -14),
        textcoords="offset points",
        ha="left" if left else "right",
        va="top",
        fontsize=9.5,
    )
