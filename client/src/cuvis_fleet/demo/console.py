"""Console output of the demo."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from cuvis_fleet.demo.evaluation import Evaluation
from cuvis_fleet.demo.figure import draw
from cuvis_fleet.demo.scene import Scene
from cuvis_fleet.demo.staging import FOLDER
from cuvis_fleet.demo.workflow import Outcome
from cuvis_fleet.models.progress import Progress


def introduction(scene: Scene, path: Path) -> str:
    """Return a line about the scene, in rich's markup."""
    images, height, width, bands = scene.cubes_NHWC.shape
    known = scene.wavelengths_nm
    spectrum = (
        "wavelengths unknown" if known is None else f"{known.min():.0f} to {known.max():.0f} nm"
    )
    truth = "no truth" if scene.truth_NHW is None else f"{scene.truth_NHW.sum()} anomalous pixels"
    count = f"{images} images of " if images > 1 else ""
    return (
        f"[bold]{path}[/bold]: {count}{height} x {width} pixels, {bands} bands ({spectrum}), "
        f"{scene.cubes_NHWC.dtype}, {truth}"
    )


@contextmanager
def training_bar(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Show a progress bar inside the block; yield the function that updates it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console) as bars:
        training = bars.add_task("Training", total=None)

        def show(progress: Progress) -> None:
            bars.update(training, description=progress.message or "Training")
            if progress.total:
                bars.update(training, completed=progress.done, total=progress.total)

        yield show


def draw_outcome(scene: Scene, outcome: Outcome, evaluation: Evaluation, output_dir: Path) -> Path:
    """Draw the image with the most anomalies; return the path of the figure."""
    truth = scene.truth_NHW
    image = 0 if truth is None else int(truth.sum(axis=(1, 2)).argmax())
    figure = output_dir / FOLDER / f"{scene.name}.png"
    figure.parent.mkdir(parents=True, exist_ok=True)
    draw(
        figure,
        scene,
        outcome.scores_NHW[image],
        outcome.decisions_NHW[image],
        image=image,
        served=evaluation.served,
        reference=evaluation.reference,
        operating_point=evaluation.operating_point,
    )
    return figure


def outcome_table(outcome: Outcome, evaluation: Evaluation, figure: Path) -> Table:
    """Return a table of the outcome."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    served, reference, point = evaluation.served, evaluation.reference, evaluation.operating_point
    if served is not None and reference is not None and point is not None:
        table.add_row("AUC served", f"{served.auc:.4f}")
        table.add_row(
            "AUC float64 RX", f"{reference.auc:.4f}  (difference {evaluation.difference:+.1e})"
        )
        table.add_row("decisions", f"{point[1]:.1%} found, {point[0]:.2%} false alarms")
    else:
        table.add_row("AUC", "not computed: the truth of this scene is unknown")
    table.add_row("scores", f"within {evaluation.deviation:.1e} (relative) of float64")
    seconds = ", ".join(f"{step} {taken * 1e3:.0f} ms" for step, taken in outcome.seconds.items())
    table.add_row("time", seconds)
    table.add_row("trace id", outcome.trace_id)
    table.add_row("figure", str(figure))
    if outcome.saved is not None:
        table.add_row("pipeline", outcome.saved.pipeline_path)
        table.add_row("weights", outcome.saved.weights_path)
    return table
