"""Panels side by side, rendered to an array; thread-safe, since pyplot is not used.

Shape letters: H height, W width of a measurement. matplotlib is imported in the functions, so that
a process that never draws does not import it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Image = npt.NDArray[np.float32]
"""Numbers from 0 to 1, HW3."""

_DPI = 100
_MIN_PANEL, _MAX_PANEL = 320, 800
_DARKENED = 0.4

HIT, FALSE_ALARM, MISS, FOUND = (0.0, 0.8, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 0.0), (0.0, 0.8, 1.0)
"""Colours of true positives, false positives, false negatives, and detections without truth."""


def panels(title: str, count: int, height: int, width: int) -> tuple["Figure", Sequence["Axes"]]:
    """Make a figure with a row of panels, each large enough for all pixels of a measurement.

    Args:
        title: title above all panels.
        count: number of panels.
        height: height of a measurement; up to 800 pixels are shown one to one.
        width: width of a measurement, likewise.
    """
    from matplotlib.figure import Figure

    zoom = np.clip(max(height, width), _MIN_PANEL, _MAX_PANEL) / max(height, width) / _DPI
    panel = (max(width * zoom, 2.0) + 0.6, max(height * zoom, 1.0) + 1.3)
    figure = Figure(figsize=(panel[0] * count, panel[1]), dpi=_DPI, layout="constrained")
    figure.suptitle(title, fontsize=10)
    return figure, figure.subplots(1, count, squeeze=False)[0]


def show(axes: "Axes", image: npt.NDArray[np.float32] | npt.NDArray[np.bool_], title: str) -> None:
    """Show a picture HW3, or a mask HW, in a panel."""
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation=_interpolation(image))


def show_scores(
    axes: "Axes", scores_HW: npt.NDArray[np.float32], title: str, colours: str = "inferno"
) -> None:
    """Show scores in a panel with a colour bar."""
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()
    shown = axes.imshow(scores_HW, cmap=colours, interpolation=_interpolation(scores_HW))
    bar = axes.get_figure().colorbar(shown, ax=axes, shrink=0.8)  # type: ignore[union-attr]  # never None
    bar.ax.tick_params(labelsize=7)


def explain(axes: "Axes", meanings: Sequence[tuple[tuple[float, float, float], str]]) -> None:
    """Add a legend of colours below a panel."""
    from matplotlib.patches import Patch

    axes.legend(
        handles=[Patch(facecolor=colour, label=meaning) for colour, meaning in meanings],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        ncols=len(meanings),
        fontsize=7,
        frameon=False,
        handlelength=1.0,
        columnspacing=0.8,
    )


def to_picture(figure: "Figure") -> npt.NDArray[np.uint8]:
    """Render the figure to a uint8 RGB array."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib is untyped
    return np.array(canvas.buffer_rgba(), np.uint8)[..., :3]  # type: ignore[no-untyped-call]


def coloured(
    background_HW3: Image,
    regions: Sequence[tuple[tuple[float, float, float], npt.NDArray[np.bool_]]],
) -> Image:
    """Paint regions over a darkened background, each in its colour; the last is on top."""
    image = background_HW3 * _DARKENED
    for colour, region_HW in regions:
        image[region_HW] = colour
    return image


def stretched(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Scale values HW or HWC to [0, 1] per channel, clipping the lowest and highest percent."""
    low, high = np.nanpercentile(values, (1, 99), axis=(0, 1))
    span = np.where(high > low, high - low, 1)
    unit: npt.NDArray[np.float32] = np.clip(np.nan_to_num((values - low) / span), 0, 1)
    return unit.astype(np.float32)


def grey(values_HW: npt.NDArray[np.float32]) -> Image:
    """Return a stretched channel as an image."""
    return np.repeat(stretched(values_HW)[..., None], 3, axis=2)


def to_bytes(image: Image) -> npt.NDArray[np.uint8]:
    """Convert numbers from 0 to 1 to uint8."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _interpolation(image: npt.NDArray[np.generic]) -> str:
    """Return an interpolation: sharp pixels if they fit; otherwise one that drops no pixel."""
    return "nearest" if max(image.shape[:2]) <= _MAX_PANEL else "auto"
