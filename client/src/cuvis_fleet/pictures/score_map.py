"""Scores as colours."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from cuvis_fleet.pictures.canvas import image_axes, name_pixels, plane

_LOG_FROM = 10.0
"""How many times the highest score is the lowest before steps are of equal ratio."""


def score_map(
    scores: npt.ArrayLike, *, title: str = "Scores", label: str = "score (higher: more anomalous)"
) -> Figure:
    """Draw scores by a colour each, with a bar that says which colour is which score.

    Steps of the bar are of equal ratio where scores are positive and span more than one order of
    magnitude, as distances do; else of equal difference.

    Args:
        scores: [H,W], or [1,H,W,1] as servers return them.
        title: what is scored.
        label: what the scores are, with their unit if they have one.

    Raises:
        ValueError: this is not one image.
    """
    scores_HW = plane(scores, "scores")
    figure, axes = image_axes(scores_HW.shape, beside=1.2)
    draw_scores(axes, scores_HW, label)
    axes.set_title(title)
    return figure


def draw_scores(axes: Axes, scores_HW: npt.NDArray[Any], label: str) -> None:
    """Draw scores and their colour bar into `axes`."""
    finite = scores_HW[np.isfinite(scores_HW)].astype(np.float64)
    low, high = np.percentile(finite, [1, 99.95]) if finite.size else (0.0, 1.0)
    logarithmic = low > 0 and high / low > _LOG_FROM
    high = max(high, low * 1.01) if logarithmic else max(high, low + 1e-12)
    norm = LogNorm(low, high) if logarithmic else Normalize(low, high)
    drawn = axes.imshow(scores_HW, cmap="cividis", norm=norm, interpolation="nearest")
    name_pixels(axes)
    bar = axes.figure.colorbar(drawn, ax=axes, extend="both", shrink=0.9)
    bar.set_label(label)
    if logarithmic:
        bar.ax.yaxis.set_major_formatter(LogFormatter())  # 100, as its neighbours, not 10 raised
        bar.ax.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
