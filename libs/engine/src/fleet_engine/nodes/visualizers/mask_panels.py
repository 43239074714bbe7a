"""Panels that compare decisions with the ground truth. Shape letters: H height, W width."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fleet_engine.nodes.visualizers.drawing import (
    FALSE_ALARM,
    FOUND,
    HIT,
    MISS,
    Image,
    coloured,
    explain,
    panels,
    show,
    show_scores,
    to_picture,
)

Mask = npt.NDArray[np.bool_]


class MaskScene(NamedTuple):
    """Data of one measurement.

    Attributes:
        background_HW3: background image, 0 to 1.
        background_name: title of the background.
        found_HW: the decisions.
        true_HW: the ground truth, if known.
        scores_HW: the scores behind the decisions, if known.
    """

    background_HW3: Image
    background_name: str
    found_HW: Mask
    true_HW: Mask | None = None
    scores_HW: npt.NDArray[np.float32] | None = None


def draw_masks(scene: MaskScene, title: str) -> tuple[npt.NDArray[np.uint8], str]:
    """Draw a measurement, its ground truth, the decisions, and where the last two agree.

    Returns:
        The picture, uint8 RGB, and a line that summarises the agreement.
    """
    found, true = scene.found_HW, scene.true_HW
    agreement = f"{np.count_nonzero(found)} of {found.size} pixels found"
    if true is not None:
        agreement = f"{_ratios(found, true)}, {agreement}"
    count = 2 + (true is not None) * 2 + (scene.scores_HW is not None)
    figure, row = panels(f"{title}\n{agreement}", count, *found.shape)
    axes = iter(row)
    show(next(axes), scene.background_HW3, scene.background_name)
    if scene.scores_HW is not None:
        show_scores(next(axes), scene.scores_HW, "scores")
    if true is None:
        last = next(axes)
        show(last, coloured(scene.background_HW3, [(FOUND, found)]), "found")
        explain(last, [(FOUND, "found")])
    else:
        show(next(axes), true, "truth")
        show(next(axes), found, "found")
        last = next(axes)
        regions = [(HIT, found & true), (FALSE_ALARM, found & ~true), (MISS, ~found & true)]
        show(last, coloured(scene.background_HW3, regions), "agreement")
        explain(
            last,
            [
                (HIT, "TP: hit"),
                (FALSE_ALARM, "FP: false alarm"),
                (MISS, "FN: missed"),
            ],
        )
    return to_picture(figure), agreement


def _ratios(found: Mask, true: Mask) -> str:
    both = int((found & true).sum())
    denominators = {"precision": found, "recall": true, "IoU": found | true}
    return ", ".join(
        f"{name} {both / max(int(whole.sum()), 1):.3f}" for name, whole in denominators.items()
    )
