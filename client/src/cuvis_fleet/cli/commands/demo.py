"""``cuvis-fleet demo``: the complete workflow on a scene."""

from pathlib import Path
from typing import Any

import typer

from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.cli.invocation import current_invocation
from cuvis_fleet.cli.training.progress_document import progress_document
from cuvis_fleet.demo.options import DATA, DATA_DIR, OUTPUT_DIR
from cuvis_fleet.extras import needs_extra
from cuvis_fleet.models.progress import Progress


def demo(
    context: typer.Context,
    data: DATA = None,
    data_dir: DATA_DIR = Path("data"),
    output_dir: OUTPUT_DIR = Path("outputs"),
) -> None:
    """Train global RX, infer, compare the scores with float64, draw a figure, save.

    The server must be on this machine or share the data folder with it.
    """
    with needs_extra("demo", "The demo's figure and files"):
        from cuvis_fleet.demo import console, evaluation, scene, staging, synthetic_scene, workflow
    invocation = current_invocation(context)
    report = invocation.report

    def run(on_progress: Any) -> workflow.Outcome:
        with invocation.connect() as client:
            return workflow.run(client, loaded, served_path, on_progress)

    path = data or synthetic_scene.write_synthetic_scene(data_dir / staging.FOLDER)
    loaded = scene.read_scene(path)
    served_path = staging.stage(path, data_dir)
    if report.as_json:
        outcome = run(lambda progress: report.line(_document(progress)))
    else:
        report.err.print(console.introduction(loaded, path), soft_wrap=True)
        with console.training_bar(report.err) as on_progress:
            outcome = run(on_progress)
    evaluated = evaluation.Evaluation.of(loaded, outcome)
    figure = console.draw_outcome(loaded, outcome, evaluated, output_dir)
    document = {
        "auc": None if evaluated.served is None else evaluated.served.auc,
        "auc_reference": None if evaluated.reference is None else evaluated.reference.auc,
        "deviation": evaluated.deviation,
        "seconds": outcome.seconds,
        "trace_id": outcome.trace_id,
        "figure": str(figure),
        "pipeline": None if outcome.saved is None else outcome.saved.pipeline_path,
        "weights": None if outcome.saved is None else outcome.saved.weights_path,
    }
    report.result(document, console.outcome_table(outcome, evaluated, figure))
    if evaluated.objection:
        raise CommandFailed(evaluated.objection, ExitCode.FAILED)


def _document(progress: Progress) -> dict[str, object]:
    return {"event": "progress", **progress_document("statistical", progress)}
