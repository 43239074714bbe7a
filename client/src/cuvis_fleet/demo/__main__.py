"""``python -m cuvis_fleet.demo``: the main job on a synthetic scene or on a file of one's own."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import cuvis_fleet
from cuvis_fleet.demo.figure import draw
from cuvis_fleet.demo.reference import global_rx, operating_point
from cuvis_fleet.demo.scene import Scene, read_scene
from cuvis_fleet.demo.staging import FOLDER, stage
from cuvis_fleet.demo.synthetic_scene import write_synthetic_scene
from cuvis_fleet.demo.workflow import Outcome, run
from cuvis_fleet.formats import UnreadableScene
from cuvis_fleet.pictures import Roc

_LARGEST_AUC_DIFFERENCE = 0.002
_console = Console(highlight=False, soft_wrap=True)


def demo(
    data: Annotated[
        Path | None,
        typer.Option(help="ENVI header, .mat, .npz, .npy or .tif; without it a synthetic scene."),
    ] = None,
    address: Annotated[str, typer.Option(help="Host and port of the server.")] = "localhost:50051",
    data_dir: Annotated[
        Path, typer.Option(envvar="DATA_DIR", help="Folder that servers read from.")
    ] = Path("data"),
    output_dir: Annotated[
        Path, typer.Option(envvar="OUTPUT_DIR", help="Folder for the figure.")
    ] = Path("outputs"),
) -> None:
    """Train global RX on a scene, infer, hold it against float64, draw a figure, save."""
    try:
        path = data if data is not None else write_synthetic_scene(data_dir / FOLDER)
        scene = read_scene(path)
        served_path = stage(path, data_dir)
        _introduce(scene, path)
        with cuvis_fleet.connect(address) as client:
            outcome = _run(client, scene, served_path)
    except UnreadableScene as error:
        _fail(str(error))
    except cuvis_fleet.CuvisFleetError as error:
        _fail(str(error))
    agrees = _report(scene, outcome, output_dir)
    if not agrees:
        _fail(f"The served AUC is more than {_LARGEST_AUC_DIFFERENCE} away from the reference.")


def _introduce(scene: Scene, path: Path) -> None:
    images, height, width, bands = scene.cubes_NHWC.shape
    known = scene.wavelengths_nm
    spectrum = (
        "wavelengths unknown" if known is None else f"{known.min():.0f} to {known.max():.0f} nm"
    )
    truth = "no truth" if scene.truth_NHW is None else f"{scene.truth_NHW.sum()} anomalous pixels"
    count = f"{images} images of " if images > 1 else ""
    _console.print(
        f"[bold]{path}[/bold]: {count}{height} x {width} pixels, {bands} bands ({spectrum}), "
        f"{scene.cubes_NHWC.dtype}, {truth}"
    )


def _run(client: cuvis_fleet.Client, scene: Scene, served_path: str) -> Outcome:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_console) as bars:
        training = bars.add_task("Training", total=None)

        def tell(progress: cuvis_fleet.Progress) -> None:
            bars.update(training, description=progress.message or "Training")
            if progress.total:
                bars.update(training, completed=progress.done, total=progress.total)

        return run(client, scene, served_path, tell)


def _report(scene: Scene, outcome: Outcome, output_dir: Path) -> bool:
    """Print and draw what came out; returns whether the served AUC agrees with the reference."""
    served: Roc | None = None
    reference: Roc | None = None
    point: tuple[float, float] | None = None
    truth = scene.truth_NHW
    exact_NHW = global_rx(scene.cubes_NHWC)
    deviation = float(np.max(np.abs(outcome.scores_NHW - exact_NHW) / np.maximum(exact_NHW, 1e-9)))
    if truth is not None:
        served = Roc.of(outcome.scores_NHW, truth)
        reference = Roc.of(exact_NHW, truth)
        point = operating_point(outcome.decisions_NHW, truth)
    image = 0 if truth is None else int(truth.sum(axis=(1, 2)).argmax())
    figure = output_dir / FOLDER / f"{scene.name}.png"
    figure.parent.mkdir(parents=True, exist_ok=True)
    draw(
        figure,
        scene,
        outcome.scores_NHW[image],
        outcome.decisions_NHW[image],
        image=image,
        served=served,
        reference=reference,
        operating_point=point,
    )
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    if served is not None and reference is not None and point is not None:
        difference = served.auc - reference.auc
        table.add_row("AUC served", f"{served.auc:.4f}")
        table.add_row("AUC float64 RX", f"{reference.auc:.4f}  (difference {difference:+.1e})")
        table.add_row("decisions", f"{point[1]:.1%} found, {point[0]:.2%} false alarms")
    else:
        table.add_row("AUC", "not computed: the truth of this scene is not known")
    table.add_row("scores", f"at most {deviation:.1e} (relative) away from float64")
    seconds = ", ".join(f"{step} {taken * 1e3:.0f} ms" for step, taken in outcome.seconds.items())
    table.add_row("time", seconds)
    table.add_row("trace of inference", outcome.trace_id)
    table.add_row("figure", str(figure))
    if outcome.saved is not None:
        table.add_row("pipeline", outcome.saved.pipeline_path)
        table.add_row("weights", outcome.saved.weights_path)
    _console.print(table)
    return served is None or reference is None or abs(difference) <= _LARGEST_AUC_DIFFERENCE


def _fail(text: str) -> None:
    Console(stderr=True, soft_wrap=True).print(text, style="red", markup=False, highlight=False)
    raise SystemExit(1)


if __name__ == "__main__":
    typer.run(demo)
