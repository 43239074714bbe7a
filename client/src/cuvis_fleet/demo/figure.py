"""The figure of a result: false colours, scores, decisions and their quality."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cuvis_fleet.demo.scene import Scene
from cuvis_fleet.pictures import Roc, save
from cuvis_fleet.pictures.canvas import BLUE, LEGEND_BELOW
from cuvis_fleet.pictures.decision_overlay import draw_decisions
from cuvis_fleet.pictures.preview import draw_preview
from cuvis_fleet.pictures.roc_curve import draw_roc
from cuvis_fleet.pictures.score_map import draw_scores

_SCORES_LABEL = "squared Mahalanobis distance"


def draw(
    path: Path,
    scene: Scene,
    scores_HW: npt.NDArray[Any],
    decisions_HW: npt.NDArray[np.bool_],
    *,
    image: int,
    served: Roc | None,
    reference: Roc | None,
    operating_point: tuple[float, float] | None,
) -> None:
    """Draw one image of a scene and its result as a PNG.

    Args:
        path: path of the PNG in an existing folder.
        scene: the scene.
        scores_HW: scores of the image.
        decisions_HW: decisions of the image.
        image: index of the image in the scene.
        served: ROC of the served scores over the whole scene; None: the truth is unknown.
        reference: ROC of the float64 reference.
        operating_point: false alarm rate and detection rate of the decisions.
    """
    height, width = scores_HW.shape
    cube_HWC = scene.cubes_NHWC[image]
    truth_HW = None if scene.truth_NHW is None else scene.truth_NHW[image]
    figure = Figure(figsize=(11.0, 4.4 + 5.6 * min(height / width, 1.6)), layout="constrained")
    ((colours, map_), (decided, quality)) = figure.subplots(2, 2)
    figure.suptitle(
        f"{scene.name}: global RX, {height} x {width} pixels, {_bands_text(scene)}", fontsize=13
    )
    draw_preview(colours, cube_HWC, scene.wavelengths_nm)
    draw_scores(map_, scores_HW, _SCORES_LABEL)
    map_.set_title("RX score")
    draw_decisions(decided, decisions_HW, cube_HWC, truth_HW)
    if served is not None and reference is not None and operating_point is not None:
        draw_roc(quality, {"served": served, "float64": reference}, operating_point)
        quality.set_title("Receiver operating characteristic")
        quality.legend(**LEGEND_BELOW)
    else:
        _draw_histogram(quality, scores_HW, decisions_HW)
    save(figure, path)


def _bands_text(scene: Scene) -> str:
    bands = scene.cubes_NHWC.shape[-1]
    if scene.wavelengths_nm is None:
        return f"{bands} bands"
    lowest, highest = scene.wavelengths_nm.min(), scene.wavelengths_nm.max()
    return f"{bands} bands, {lowest:.0f} to {highest:.0f} nm"


def _draw_histogram(
    axes: Axes, scores_HW: npt.NDArray[Any], decisions_HW: npt.NDArray[np.bool_]
) -> None:
    positive = scores_HW[scores_HW > 0]
    edges = np.geomspace(positive.min(), positive.max(), 80)
    axes.hist(positive, bins=list(edges), color="0.6")
    if decisions_HW.any():
        threshold = float(scores_HW[decisions_HW].min())
        axes.axvline(threshold, color=BLUE, linewidth=2, label=f"threshold {threshold:.0f}")
        axes.legend(**LEGEND_BELOW)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(_SCORES_LABEL)
    axes.set_ylabel("pixels")
    axes.set_title("Scores of this image")
    axes.set_axisbelow(True)
    axes.grid(color="0.9")
