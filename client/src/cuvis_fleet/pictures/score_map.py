"""Maps of scores."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from cuvis_fleet.pictures.canvas import image_axes, name_pixels, plane

_MIN_LOG_RATIO = 10.0
"""Ratio of the highest to the lowest score above which the scale is logarithmic."""


def score_map(
    scores: npt.ArrayLike, *, title: str = "Scores", label: str = "score (higher: more anomalous)"
) -> Figure:
    """Draw scores as colours, with a colour bar.

    The scale is logarithmic if the scores are positive and span more than one order of magnitude,
    as distances do, and linear otherwise.

    Args:
        scores: [H,W], or [1,H,W,1] as servers return them.
        title: title of the picture.
        label: name of the scores, with their unit if they have one.

    Raises:
        ValueError: the scores are not one image.
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
    logarithmic = low > 0 and high / low > _MIN_LOG_RATIO
    high = max(high, low * 1.01) if logarithmic else max(high, low + 1e-12)
    norm = LogNorm(low, high) if logarithmic else Normalize(low, high)
    drawn = axes.imshow(scores_HW, cmap="cividis", norm=norm, interpolation="nearest")
    name_pixels(axes)
    bar = axes.figure.colorbar(drawn, ax=axes, extend="both", shrink=0.9)
    bar.set_label(label)
    if logarithmic:
        bar.ax.yaxis.set_major_formatter(LogFormatter())  # 100 instead of 10^2
        bar.ax.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
