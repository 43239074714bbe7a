"""Draws the gallery of pictures from the synthetic scene: ``python -m docs.pictures``."""

from pathlib import Path

import numpy as np

from cuvis_fleet import pictures
from cuvis_fleet.demo.reference import global_rx
from cuvis_fleet.demo.synthetic_scene import WAVELENGTHS_NM, make_synthetic_scene

FOLDER = Path(__file__).parent / "img" / "pictures"
_PIXELS = {"paint": (17, 23), "leaves": (60, 115), "track": (60, 64), "dry grass": (40, 20)}


def draw_gallery(folder: Path) -> None:
    """Draw one picture of each kind that a scene and its scores alone give."""
    folder.mkdir(parents=True, exist_ok=True)
    cube, painted = make_synthetic_scene()
    scores = global_rx(cube[None])[0]
    decisions = scores > np.quantile(scores[~painted], 0.999)
    figures = {
        "preview": pictures.preview(cube, WAVELENGTHS_NM, title="Synthetic scene"),
        "score_map": pictures.score_map(
            scores, title="Global RX", label="score (squared Mahalanobis distance)"
        ),
        "decision_overlay": pictures.decision_overlay(decisions, cube, truth=painted),
        "spectra": pictures.spectra(cube, WAVELENGTHS_NM, _PIXELS, values="reflectance x 10000"),
        "roc": pictures.roc(scores, painted, decisions=decisions, title="Global RX"),
    }
    for name, figure in figures.items():
        pictures.save(figure, folder / f"{name}.png")


if __name__ == "__main__":
    draw_gallery(FOLDER)
