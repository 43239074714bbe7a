"""Colours, sizes and axes that all pictures share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Colours of Okabe & Ito (2008), distinguishable with any colour vision.
BLUE, ORANGE, PURPLE, BLACK = "#0072B2", "#E69F00", "#CC79A7", "#000000"
LINES = (BLUE, ORANGE, "#009E73", PURPLE, "#56B4E9", "#D55E00", BLACK)
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))

LEGEND_BELOW: dict[str, Any] = {
    "loc": "upper center",
    "bbox_to_anchor": (0.5, 0.0),
    "borderaxespad": 4.0,
    "ncols": 3,
    "frameon": False,
    "fontsize": 9.5,
    "columnspacing": 1.2,
    "handlelength": 1.8,
}
"""Arguments of a legend below its axes, in one row."""

_WIDTH_INCHES = 7.0


def image_axes(shape_HW: tuple[int, ...], *, beside: float = 0.0) -> tuple[Figure, Axes]:
    """Return axes for an image in a figure of its proportions.

    Args:
        shape_HW: shape of the image.
        beside: additional width in inches, for a colour bar.
    """
    proportion = min(max(shape_HW[0] / shape_HW[1], 0.2), 1.6)
    size = (_WIDTH_INCHES + beside, 1.2 + (_WIDTH_INCHES - 1.0) * proportion)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    name_pixels(axes)
    return figure, axes


def line_axes(height_inches: float = 4.6) -> tuple[Figure, Axes]:
    """Return axes for lines, with a faint grid."""
    figure = Figure(figsize=(8.0, height_inches), layout="constrained")
    axes = figure.subplots()
    open_axes(axes)
    return figure, axes


def open_axes(axes: Axes) -> None:
    """Remove the frame except for the two axes, and draw a faint grid behind the lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(color="0.92")


def name_pixels(axes: Axes) -> None:
    """Label the axes of an image."""
    axes.set_xlabel("column (pixel)")
    axes.set_ylabel("row (pixel)")


def label_ends(axes: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Label lines at their last points, and move overlapping labels apart.

    Args:
        axes: axes whose limits are final.
        ends: x, y, text and colour of each line's last point.
    """
    per_point = axes.get_figure(root=True).dpi / 72  # type: ignore[union-attr] # it is drawn in one
    height = 13 * per_point
    ends = sorted(ends, key=lambda end: end[1])
    places = [float(axes.transData.transform((x, y))[1]) for x, y, _, _ in ends]
    apart = _moved_apart(places, height, ceiling=float(axes.bbox.y1))
    for (x, y, text, colour), pixel_y, place in zip(ends, places, apart, strict=True):
        axes.annotate(
            text,
            (x, y),
            xytext=(6, (place - pixel_y) / per_point),
            textcoords="offset points",
            color=colour,
            va="center",
            fontsize=9.5,
            annotation_clip=False,
        )


def _moved_apart(places: Sequence[float], height: float, *, ceiling: float) -> list[float]:
    """Move ascending positions up until `height` apart, then down again below `ceiling`."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + height) if moved else place)
    for index in reversed(range(len(moved))):
        moved[index] = min(moved[index], ceiling)
        ceiling = moved[index] - height
    return moved


def plane(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """Return an image [H,W], also from the [1,H,W,1] that a server returns.

    Raises:
        ValueError: the shape is not that of one image.
    """
    image = np.asarray(values)
    if image.ndim == 4 and image.shape[0] == image.shape[3] == 1:
        return image[0, :, :, 0]
    if image.ndim == 3 and image.shape[2] == 1:
        return image[:, :, 0]
    if image.ndim == 2 and image.size:
        return image
    raise ValueError(f"{name} has the shape {image.shape}; one image [H,W] is needed")
