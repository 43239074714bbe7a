"""Pictures of decisions over the scene."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from cuvis_fleet.pictures.canvas import (
    BLACK,
    BLUE,
    LEGEND_BELOW,
    ORANGE,
    PURPLE,
    image_axes,
    name_pixels,
    plane,
)

_PLAIN = 0.8


def decision_overlay(
    decisions: npt.ArrayLike,
    cube_HWC: npt.ArrayLike | None = None,
    *,
    truth: npt.ArrayLike | None = None,
    title: str = "",
) -> Figure:
    """Draw the anomalies that a pipeline detected over the scene in grey.

    Args:
        decisions: [H,W], or [1,H,W,1] as servers return them; true where anomalous.
        cube_HWC: the scene; None: plain grey.
        truth: [H,W], not 0 where an anomaly is; if given, found and missed anomalies and false
            alarms have different colours.
        title: title of the picture; empty: says whether the truth is known.

    Raises:
        ValueError: the shapes do not match.
    """
    decisions_HW = plane(decisions, "decisions") != 0
    truth_HW = None if truth is None else plane(truth, "truth") != 0
    cube = None if cube_HWC is None else np.asarray(cube_HWC)
    for name, shape in (
        ("truth", None if truth_HW is None else truth_HW.shape),
        ("cube", None if cube is None else cube.shape[:2]),
    ):
        if shape is not None and shape != decisions_HW.shape:
            raise ValueError(f"the {name} has {shape} pixels, the decisions {decisions_HW.shape}")
    figure, axes = image_axes(decisions_HW.shape)
    draw_decisions(axes, decisions_HW, cube, truth_HW)
    if title:
        axes.set_title(title)
    return figure


def draw_decisions(
    axes: Axes,
    decisions_HW: npt.NDArray[np.bool_],
    cube_HWC: npt.NDArray[Any] | None,
    truth_HW: npt.NDArray[np.bool_] | None,
) -> None:
    """Draw decisions and a legend into `axes`."""
    backdrop = np.full(decisions_HW.shape, _PLAIN) if cube_HWC is None else _grey(cube_HWC)
    picture = np.repeat(backdrop[:, :, None], 3, axis=2)
    if truth_HW is None:
        kinds = [("decided anomalous", decisions_HW, BLUE)]
    else:
        kinds = [
            ("found", decisions_HW & truth_HW, BLUE),
            ("false alarm", decisions_HW & ~truth_HW, ORANGE),
            ("missed", ~decisions_HW & truth_HW, PURPLE),
        ]
    for _, where, colour in kinds:
        picture[where] = to_rgb(colour)
    axes.imshow(picture, interpolation="nearest")
    axes.set_title("Decisions" if truth_HW is None else "Decisions over truth")
    name_pixels(axes)
    handles = [
        Patch(facecolor=colour, edgecolor=BLACK, label=f"{label}, {int(where.sum())} px")
        for label, where, colour in kinds
    ]
    axes.legend(handles=handles, **LEGEND_BELOW)


def _grey(cube_HWC: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the mean of all bands, bright enough to contrast with colours."""
    mean = np.nan_to_num(cube_HWC.mean(axis=2, dtype=np.float64))
    low, high = np.percentile(mean, [1, 99])
    scaled: npt.NDArray[np.float64] = np.clip((mean - low) / max(high - low, 1e-12), 0, 1)
    return 0.45 + 0.5 * scaled
