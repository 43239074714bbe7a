"""``cuvis-fleet bench``: how long calls take from here."""

import time
from collections.abc import Callable
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from cuvis_fleet.cli.commands.completion import complete_pipeline
from cuvis_fleet.cli.commands.pipeline_choice import load_named
from cuvis_fleet.cli.invocation import current_invocation

_PERCENTILES = (50, 90, 99)
_LARGEST_COUNT = 4096
_SEED = 1


def bench(
    context: typer.Context,
    *,
    pipeline: Annotated[
        str, typer.Option(help="Of `pipelines list`.", autocompletion=complete_pipeline)
    ] = "rx_statistical",
    side: Annotated[int, typer.Option(min=1, help="Pixels along each side of the cube.")] = 256,
    bands: Annotated[int, typer.Option(min=1, help="Bands of the cube.")] = 61,
    calls: Annotated[int, typer.Option(min=1, help="Calls that are timed, of each kind.")] = 30,
    output: Annotated[list[str] | None, typer.Option(help="Only this output; repeatable.")] = None,
) -> None:
    """Time inference on a random uint16 cube, beside the smallest call there is.

    The smallest call (GetTrainStatus) tells how far away the server is; what is left is the cube's
    way there, the pipeline, and the outputs' way back.
    """
    invocation = current_invocation(context)
    shape = (side, side, bands)
    cube = np.random.default_rng(_SEED).integers(0, _LARGEST_COUNT, shape, dtype=np.uint16)
    wavelengths_nm = np.linspace(430.0, 910.0, bands)
    with invocation.connect() as client, client.session() as session:
        load_named(client, session, pipeline, None)
        timed = {
            "smallest call": _timed(session.status, calls),
            f"inference {side} x {side} x {bands}": _timed(
                lambda: session.infer(cube, wavelengths_nm, output or []), calls
            ),
        }
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("call")
    for column in (*(f"p{each}" for each in _PERCENTILES), "largest", "calls/s"):
        table.add_column(column, justify="right")
    documents = []
    for name, times_ms in timed.items():
        percentiles = np.percentile(times_ms, _PERCENTILES).tolist()
        largest, rate = max(times_ms), 1e3 * len(times_ms) / sum(times_ms)
        shown = [f"{each:.1f} ms" for each in (*percentiles, largest)]
        table.add_row(name, *shown, f"{rate:.0f}")
        named = {f"p{at}_ms": ms for at, ms in zip(_PERCENTILES, percentiles, strict=True)}
        documents.append({"call": name, **named, "max_ms": largest, "calls_per_s": rate})
    invocation.report.result({"calls": calls, "results": documents}, table)


def _timed(call: Callable[[], object], count: int) -> list[float]:
    """Milliseconds of each of `count` calls, after one that is not timed."""
    call()
    times_ms = []
    for _ in range(count):
        begun = time.perf_counter()
        call()
        times_ms.append(1e3 * (time.perf_counter() - begun))
    return times_ms
