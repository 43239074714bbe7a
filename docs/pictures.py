"""Draws the gallery of pictures: ``python -m docs.pictures``.

Most show the synthetic scene. For those of a training and of a pipeline a stack is started; the
latter also needs Graphviz.
"""

from pathlib import Path

import numpy as np

import cuvis_fleet
from cuvis_fleet import pictures
from cuvis_fleet.demo.reference import global_rx
from cuvis_fleet.demo.synthetic_scene import WAVELENGTHS_NM, make_synthetic_scene
from docs.picture_stack import picture_stack

FOLDER = Path(__file__).parent / "img" / "pictures"
_PIXELS = {
    "paint": (17, 23),
    "leaves": (64, 5),
    "dry grass": (30, 102),
    "soil": (6, 50),
    "track": (60, 64),
}

_TRAINING = (
    "data.cu3s_file_path=scene.npz",
    "data.annotation_json_path=null",
    "training.trainer.max_epochs=20",
)


def draw_gallery(folder: Path) -> None:
    """Draw one picture of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    draw_scene(folder)
    with picture_stack() as (address, _), cuvis_fleet.connect(address) as client:
        draw_training(client, folder)
        drawn = client.draw(client.pipeline("rx_statistical").yaml, "svg")
        pictures.pipeline_graph(drawn, folder / "pipeline_graph.svg")


def draw_scene(folder: Path) -> None:
    """Draw the pictures of a scene and its scores."""
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


def draw_training(client: cuvis_fleet.Client, folder: Path) -> None:
    """Train the channel selector and draw its curves."""
    with client.session() as session:
        session.apply(session.resolve("trainrun", "channel_selector", _TRAINING))
        for _ in session.train("statistical"):
            pass
        progress = list(session.train("gradient"))
    figure = pictures.training_curves(progress, title="Channel selector")
    pictures.save(figure, folder / "training_curves.png")


if __name__ == "__main__":
    draw_gallery(FOLDER)
