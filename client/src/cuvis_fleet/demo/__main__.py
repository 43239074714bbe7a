"""``python -m cuvis_fleet.demo``: the complete workflow on a synthetic scene or a given file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import cuvis_fleet
from cuvis_fleet.demo.console import draw_outcome, introduction, outcome_table, training_bar
from cuvis_fleet.demo.evaluation import Evaluation
from cuvis_fleet.demo.options import DATA, DATA_DIR, OUTPUT_DIR
from cuvis_fleet.demo.scene import read_scene
from cuvis_fleet.demo.staging import FOLDER, stage
from cuvis_fleet.demo.synthetic_scene import write_synthetic_scene
from cuvis_fleet.demo.workflow import run
from cuvis_fleet.formats import UnreadableScene

_console = Console(highlight=False, soft_wrap=True)


def demo(
    data: DATA = None,
    address: Annotated[str, typer.Option(help="Host and port of the server.")] = "localhost:50051",
    data_dir: DATA_DIR = Path("data"),
    output_dir: OUTPUT_DIR = Path("outputs"),
) -> None:
    """Train global RX, infer, compare the scores with float64, draw a figure, save."""
    try:
        path = data if data is not None else write_synthetic_scene(data_dir / FOLDER)
        scene = read_scene(path)
        served_path = stage(path, data_dir)
        _console.print(introduction(scene, path))
        with cuvis_fleet.connect(address) as client, training_bar(_console) as show:
            outcome = run(client, scene, served_path, show)
    except (UnreadableScene, cuvis_fleet.CuvisFleetError) as error:
        _fail(str(error))
    evaluation = Evaluation.of(scene, outcome)
    figure = draw_outcome(scene, outcome, evaluation, output_dir)
    _console.print(outcome_table(outcome, evaluation, figure))
    if evaluation.objection:
        _fail(evaluation.objection)


def _fail(text: str) -> None:
    Console(stderr=True, soft_wrap=True).print(text, style="red", markup=False, highlight=False)
    raise SystemExit(1)


if __name__ == "__main__":
    typer.run(demo)
