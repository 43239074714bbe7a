"""``cuvis-fleet infer``: runs a pipeline on the cube in a file."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table

from cuvis_fleet.cli.commands.completion import complete_pipeline
from cuvis_fleet.cli.commands.pipeline_choice import load_named, one_of
from cuvis_fleet.cli.commands.result_pictures import ResultPictures
from cuvis_fleet.cli.invocation import Invocation, current_invocation
from cuvis_fleet.cli.sessions.session_journal import SessionJournal
from cuvis_fleet.cli.sessions.session_status import connected, look_up
from cuvis_fleet.formats import Scene, read_scene, write_result
from cuvis_fleet.models.result import Result


def infer(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help=".npz, .npy, ENVI header, .mat or .tif.")],
    *,
    pipeline: Annotated[
        str | None,
        typer.Option(
            help="Pipeline from `pipelines list`, or the path of a saved pipeline.",
            autocompletion=complete_pipeline,
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Weights file on the server; default: the one beside the pipeline."),
    ] = None,
    session: Annotated[str | None, typer.Option(help="Session with a trained pipeline.")] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="File to write: .npz (all outputs), .hdr (ENVI) or .png; repeatable."),
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(help="Return only this output, as node.port or port; repeatable."),
    ] = None,
    overlay: Annotated[
        Path | None,
        typer.Option(help="Picture of the decisions over the scene, compared with its mask."),
    ] = None,
    roc: Annotated[
        Path | None,
        typer.Option(help="Picture of the ROC curve of the scores; the file needs a mask."),
    ] = None,
    measurement: Annotated[int, typer.Option(min=0, help="Index of the cube in the file.")] = 0,
) -> None:
    """Run a pipeline on the cube in a file.

    A .hdr or .png file contains the first --output, or the scores by default. Pictures are .png,
    .svg or .pdf files.
    """
    one_of(pipeline, session)
    invocation = current_invocation(context)
    scene = read_scene(file, measurement)
    pictures = ResultPictures(overlay, roc)
    pictures.check(scene, file)
    result = _run(
        invocation,
        scene,
        pipeline=pipeline,
        session_id=session,
        weights=weights,
        outputs=output or [],
    )
    for path in out or []:
        holds_all = path.suffix.lower() == ".npz"
        write_result(result, path, output=output[0] if output and not holds_all else None)
    _report(invocation, result, [*(out or []), *pictures.draw(scene, result)])


def _run(
    invocation: Invocation,
    scene: Scene,
    *,
    pipeline: str | None,
    session_id: str | None,
    weights: str | None,
    outputs: list[str],
) -> Result:
    with ExitStack() as stack:
        if session_id is not None:
            entry = look_up(SessionJournal.of_user(), invocation, session_id)
            session = stack.enter_context(connected(invocation, entry)).attach(entry.session_id)
        else:
            client = stack.enter_context(invocation.connect())
            session = stack.enter_context(client.session())
            if load_named(client, session, pipeline or "", weights) is None:
                invocation.report.note(
                    "There are no weights beside the pipeline; the initial weights are used."
                )
        return session.infer(scene.cube_HWC, scene.sent_wavelengths, outputs, scene.mask_HW)


def _report(invocation: Invocation, result: Result, written: list[Path]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("output", "type", "shape", "min", "max"):
        table.add_column(column, overflow="fold")
    documents: dict[str, Any] = {}
    for name, values in result.items():
        minimum, maximum = _bounds(values)
        document = {"dtype": values.dtype.name, "shape": list(values.shape)}
        documents[name] = {**document, "min": minimum, "max": maximum}
        shape = " x ".join(map(str, values.shape))
        table.add_row(name, values.dtype.name, shape, _number(minimum), _number(maximum))
    for name, value in result.metrics.items():
        table.add_row(name, "metric", "", "", _number(value))
    for path in written:
        invocation.report.note(f"written: {path}")
    invocation.report.result(
        {
            "outputs": documents,
            "metrics": result.metrics,
            "trace_id": result.trace_id,
            "written": [str(path) for path in written],
        },
        table,
    )


def _bounds(values: npt.NDArray[Any]) -> tuple[float | None, float | None]:
    if values.size == 0 or values.dtype.kind not in "biuf":
        return None, None
    return float(np.nanmin(values)), float(np.nanmax(values))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"
