"""Prints the table and saves it as JSON."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.result import Result
from bench.training_result import TrainingResult


def print_table(results: Sequence[Result]) -> None:
    """Print one line per result, with a rule between cases."""
    table = Table(title="through the gateway; ratio: to the echo through Envoy")
    table.add_column("case", no_wrap=True)
    table.add_column("answered by", no_wrap=True)
    for heading in ("clients", "calls", "p50 ms", "p99 ms", "ratio"):
        table.add_column(heading, justify="right")
    for position, result in enumerate(results):
        following = results[position + 1 : position + 2]
        table.add_row(
            result.case,
            result.target,
            str(result.clients),
            str(result.calls),
            f"{result.p50_ms:.2f}",
            f"{result.p99_ms:.2f}",
            f"{result.ratio:.2f}" if result.ratio else "",
            end_section=any(next_one.case != result.case for next_one in following),
        )
    _show(table)


def print_trainings(results: Sequence[TrainingResult]) -> None:
    """Print one line per training and server, with a rule between training runs."""
    table = Table(title="training, as a client sees it; ratio: how many times as fast as published")
    table.add_column("training", no_wrap=True)
    table.add_column("trained by", no_wrap=True)
    for heading in ("rounds", "epochs", "seconds", "s / epoch", "samples / s", "ratio"):
        table.add_column(heading, justify="right")
    for position, result in enumerate(results):
        following = results[position + 1 : position + 2]
        table.add_row(
            result.training,
            result.server,
            str(result.rounds),
            str(result.epochs),
            f"{result.seconds:.3f}",
            f"{result.seconds_per_epoch:.3f}",
            f"{result.samples_per_second:.1f}",
            f"{result.ratio:.2f}" if result.ratio else "",
            end_section=any(next_one.training != result.training for next_one in following),
        )
    _show(table)


def _show(table: Table) -> None:
    # Without a terminal, lines must not be cut to a width.
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def save(results: Sequence[Result | TrainingResult], folder: Path) -> Path:
    """Write the results with the data that comparing them with another run needs."""
    now = datetime.now(UTC)
    content = {
        "at": now.isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "results": [asdict(result) for result in results],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
    return path
