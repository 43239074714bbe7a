"""The picture of a result: false colours, scores, decisions, and how good they are."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogFormatter

from cuvis_fleet.demo.reference import Roc
from cuvis_fleet.demo.scene import Scene

# Colours of Okabe & Ito (2008), which people with any colour vision tell apart.
_BLUE, _ORANGE, _PURPLE, _BLACK = "#0072B2", "#E69F00", "#CC79A7", "#000000"
_INFRARED_NM = (860.0, 660.0, 560.0)
_VISIBLE_NM = (640.0, 550.0, 460.0)
_LEGEND_BELOW: dict[str, Any] = {
    "loc": "upper center",
    "bbox_to_anchor": (0.5, -0.12),
    "ncols": 3,
    "frameon": False,
    "fontsize": 9.5,
    "columnspacing": 1.2,
    "handlelength": 1.8,
}
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
    """Draw one image of a scene and what was found in it, as a PNG.

    Args:
        path: of the PNG; its folder exists.
        scene: the scene.
        scores_HW: of this image.
        decisions_HW: of this image.
        image: its number in the scene.
        served: ROC of the served scores over the whole scene; None: the truth is not known.
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
    _draw_colours(colours, scene, cube_HWC)
    _draw_scores(figure, map_, scores_HW)
    _draw_decisions(decided, cube_HWC, decisions_HW, truth_HW)
    for axes in (colours, map_, decided):
        axes.set_xlabel("column (pixel)")
        axes.set_ylabel("row (pixel)")
    if served is not None and reference is not None and operating_point is not None:
        _draw_roc(quality, served, reference, operating_point)
    else:
        _draw_histogram(quality, scores_HW, decisions_HW)
    figure.savefig(path, dpi=150, metadata={"Software": None})


def _bands_text(scene: Scene) -> str:
    bands = scene.cubes_NHWC.shape[-1]
    if scene.wavelengths_nm is None:
        return f"{bands} bands"
    lowest, highest = scene.wavelengths_nm.min(), scene.wavelengths_nm.max()
    return f"{bands} bands, {lowest:.0f} to {highest:.0f} nm"


def _draw_colours(axes: Axes, scene: Scene, cube_HWC: npt.NDArray[Any]) -> None:
    bands, text = choose_bands(scene)
    planes = cube_HWC[:, :, bands].astype(np.float64)
    # One black point for all three, so that what is dark in one of them does not turn gaudy.
    low = np.percentile(planes, 1)
    high = np.percentile(planes, 99, axis=(0, 1))
    axes.imshow(np.clip((planes - low) / np.maximum(high - low, 1e-12), 0, 1))
    axes.set_title(text)


def choose_bands(scene: Scene) -> tuple[list[int], str]:
    """The bands that are shown as red, green and blue, and a title that says which they are."""
    count = scene.cubes_NHWC.shape[-1]
    if scene.wavelengths_nm is not None:
        for kind, wanted in (("False colour", _INFRARED_NM), ("True colour", _VISIBLE_NM)):
            bands = [int(np.abs(scene.wavelengths_nm - nm).argmin()) for nm in wanted]
            found = scene.wavelengths_nm[bands]
            if np.abs(found - wanted).max() < 25:
                return bands, f"{kind}: R {found[0]:.0f}, G {found[1]:.0f}, B {found[2]:.0f} nm"
    bands = [int((count - 1) * share) for share in (0.75, 0.5, 0.25)]
    if scene.wavelengths_nm is not None:
        found = scene.wavelengths_nm[bands]
        return bands, f"False colour: R {found[0]:.0f}, G {found[1]:.0f}, B {found[2]:.0f} nm"
    return bands, f"False colour: bands {bands[0]}, {bands[1]}, {bands[2]} (wavelengths unknown)"


def _draw_scores(figure: Figure, axes: Axes, scores_HW: npt.NDArray[Any]) -> None:
    low = max(float(np.percentile(scores_HW, 1)), 1e-6)
    high = max(float(np.percentile(scores_HW, 99.95)), low * 1.01)
    drawn = axes.imshow(scores_HW, cmap="cividis", norm=LogNorm(low, high), interpolation="nearest")
    axes.set_title("RX score")
    bar = figure.colorbar(drawn, ax=axes, extend="both", shrink=0.9)
    bar.set_label(_SCORES_LABEL)
    bar.ax.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))


def _draw_decisions(
    axes: Axes,
    cube_HWC: npt.NDArray[Any],
    decisions_HW: npt.NDArray[np.bool_],
    truth_HW: npt.NDArray[np.bool_] | None,
) -> None:
    grey = cube_HWC.mean(axis=2, dtype=np.float64)
    low, high = np.percentile(grey, [1, 99])
    backdrop = 0.45 + 0.5 * np.clip((grey - low) / max(high - low, 1e-12), 0, 1)
    picture = np.repeat(backdrop[:, :, None], 3, axis=2)
    if truth_HW is None:
        kinds = [("decided anomalous", decisions_HW, _BLUE)]
    else:
        kinds = [
            ("found", decisions_HW & truth_HW, _BLUE),
            ("false alarm", decisions_HW & ~truth_HW, _ORANGE),
            ("missed", ~decisions_HW & truth_HW, _PURPLE),
        ]
    for _, where, colour in kinds:
        picture[where] = to_rgb(colour)
    axes.imshow(picture, interpolation="nearest")
    axes.set_title("Decisions over truth" if truth_HW is not None else "Decisions (no truth known)")
    handles = [
        Patch(facecolor=colour, edgecolor=_BLACK, label=f"{label}, {int(where.sum())} px")
        for label, where, colour in kinds
    ]
    axes.legend(handles=handles, **_LEGEND_BELOW)


def _draw_roc(
    axes: Axes, served: Roc, reference: Roc, operating_point: tuple[float, float]
) -> None:
    floor = served.false_alarm_rate[served.false_alarm_rate > 0].min()
    axes.plot(
        np.maximum(served.false_alarm_rate, floor),
        served.detection_rate,
        color=_BLUE,
        linewidth=2.5,
        label=f"served, AUC {served.auc:.4f}",
    )
    axes.plot(
        np.maximum(reference.false_alarm_rate, floor),
        reference.detection_rate,
        color=_ORANGE,
        linestyle=(0, (4, 3)),
        linewidth=1.5,
        label=f"float64, AUC {reference.auc:.4f}",
    )
    axes.plot(
        max(operating_point[0], floor),
        operating_point[1],
        marker="o",
        markersize=9,
        markerfacecolor="white",
        markeredgecolor=_BLACK,
        linestyle="none",
        label="decisions",
    )
    chance = np.geomspace(floor, 1, 100)
    axes.plot(chance, chance, color="0.6", linewidth=1, linestyle=":")
    axes.set_xscale("log")
    axes.set_xlim(floor, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("false alarm rate")
    axes.set_ylabel("detection rate")
    axes.set_title("Receiver operating characteristic")
    axes.grid(color="0.9")
    axes.legend(**_LEGEND_BELOW)


def _draw_histogram(
    axes: Axes, scores_HW: npt.NDArray[Any], decisions_HW: npt.NDArray[np.bool_]
) -> None:
    positive = scores_HW[scores_HW > 0]
    edges = np.geomspace(positive.min(), positive.max(), 80)
    axes.hist(positive, bins=list(edges), color="0.6")
    if decisions_HW.any():
        threshold = float(scores_HW[decisions_HW].min())
        axes.axvline(threshold, color=_BLUE, linewidth=2, label=f"decided from {threshold:.0f} on")
        axes.legend(**_LEGEND_BELOW)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(_SCORES_LABEL)
    axes.set_ylabel("pixels")
    axes.set_title("Scores of this image")
    axes.set_axisbelow(True)
    axes.grid(color="0.9")
