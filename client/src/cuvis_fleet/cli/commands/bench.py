"""``cuvis-fleet bench``: measures the duration of calls."""

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
_MAX_COUNT = 4096
_SEED = 1


def bench(
    context: typer.Context,
    *,
    pipeline: Annotated[
        str, typer.Option(help="Pipeline from `pipelines list`.", autocompletion=complete_pipeline)
    ] = "rx_statistical",
    side: Annotated[int, typer.Option(min=1, help="Width and height of the cube in pixels.")] = 256,
    bands: Annotated[int, typer.Option(min=1, help="Number of bands of the cube.")] = 61,
    calls: Annotated[int, typer.Option(min=1, help="Number of timed calls of each kind.")] = 30,
    output: Annotated[
        list[str] | None, typer.Option(help="Return only this output; repeatable.")
    ] = None,
) -> None:
    """Time inference on a random uint16 cube, and the smallest call for comparison.

    The smallest call (GetTrainStatus) measures the latency of the server; the rest is the transfer
    of the cube, the pipeline, and the transfer of the outputs.
    """
    invocation = current_invocation(context)
    shape = (side, side, bands)
    cube = np.random.default_rng(_SEED).integers(0, _MAX_COUNT, shape, dtype=np.uint16)
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
    for column in (*(f"p{each}" for each in _PERCENTILES), "max", "calls/s"):
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
    """Return the duration of `count` calls in milliseconds, after one warm-up call."""
    call()
    times_ms = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        times_ms.append(1e3 * (time.perf_counter() - started))
    return times_ms
