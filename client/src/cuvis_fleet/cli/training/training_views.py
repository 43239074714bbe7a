"""Views of a running training: JSON lines, text lines, or a live picture in the terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cuvis_fleet.cli.report import Report
from cuvis_fleet.cli.training.chart import COLOURS, chart
from cuvis_fleet.cli.training.curves import Curves, sparkline
from cuvis_fleet.cli.training.progress_document import progress_document
from cuvis_fleet.models.progress import Progress

_CHART_LINES = 8
_NARROW = 40
_BAR_WIDTH = 60
_PAUSE_S = 0.1


class TrainingView(Protocol):
    """Shows the messages of a training."""

    def show(self, trainer: str, progress: Progress) -> None:
        """Show a message of a training of the kind `trainer`."""


class _JsonLines:
    def __init__(self, report: Report) -> None:
        self._report = report

    def show(self, trainer: str, progress: Progress) -> None:
        self._report.line({"event": "progress", **progress_document(trainer, progress)})


class _TextLines:
    """One line for each fitted node and for each stage of an epoch."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._pending: tuple[tuple[object, ...], str] | None = None

    def show(self, trainer: str, progress: Progress) -> None:
        group = (trainer, progress.node, progress.stage, progress.epoch)
        if self._pending is not None and self._pending[0] != group:
            self._report.note(self._pending[1])
        self._pending = (group, _line(trainer, progress))
        if progress.status != "running":
            self.flush()

    def flush(self) -> None:
        if self._pending is not None:
            self._report.note(self._pending[1])
            self._pending = None


class _Watched:
    """A bar, losses, metrics and curves, redrawn at most ten times per second."""

    def __init__(self, live: Live, title: str) -> None:
        self._live = live
        self._title = title
        self._curves = Curves()
        self._drawn_s = 0.0

    def show(self, trainer: str, progress: Progress) -> None:
        self._curves.add(progress)
        now_s = time.monotonic()
        if progress.status == "running" and now_s < self._drawn_s + _PAUSE_S:
            return
        self._drawn_s = now_s
        width = self._live.console.width
        self._live.update(
            watched(self._title, trainer, progress, self._curves, width), refresh=True
        )


@contextmanager
def training_view(report: Report, title: str, *, watch: bool) -> Iterator[TrainingView]:
    """Return a view of a training for the duration of the block.

    Args:
        report: the output.
        title: name of the trainrun.
        watch: whether to draw a live picture if the terminal supports it.
    """
    if report.as_json:
        yield _JsonLines(report)
    elif watch and _can_draw(report.err):
        with Live(console=report.err, auto_refresh=False, vertical_overflow="crop") as live:
            yield _Watched(live, title)
    else:
        lines = _TextLines(report)
        try:
            yield lines
        finally:
            lines.flush()


def watched(
    title: str, trainer: str, progress: Progress, curves: Curves, width: int
) -> RenderableType:
    """Return the picture of a training after a message.

    Args:
        title: name of the trainrun.
        trainer: kind of training.
        progress: the newest message.
        curves: the curves of all messages.
        width: width of the terminal in characters.
    """
    head = Text.assemble(
        (title, "bold"), f"  {trainer}  {progress.status}", overflow="ellipsis", no_wrap=True
    )
    where = Text(_where(progress), overflow="ellipsis", no_wrap=True)
    parts: list[RenderableType] = [head, where]
    if progress.total:
        bar = Table.grid()
        bar.add_row(ProgressBar(progress.total, progress.done, width=min(width, _BAR_WIDTH)))
        parts.append(bar)
    drawn = chart(curves.losses, min(width, 100), _CHART_LINES)
    if width >= _NARROW and drawn:
        parts += [Text("losses per message", style="dim"), drawn]
    if curves.losses or curves.metrics:
        parts.append(_figures(curves, width))
    return Group(*parts)


def _figures(curves: Curves, width: int) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(overflow="ellipsis", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    sparkline_width = max(width - 44, 8)
    for number, (name, values) in enumerate(curves.losses.items()):
        colour = COLOURS[number % len(COLOURS)]
        table.add_row(
            Text(name, style=colour), f"{values[-1]:.5g}", sparkline(values, sparkline_width)
        )
    for name, values in curves.metrics.items():
        table.add_row(name, f"{values[-1]:.5g}", sparkline(values, sparkline_width))
    return table


def _where(progress: Progress) -> str:
    parts = [] if progress.node else [f"epoch {progress.epoch}", progress.stage]
    return ", ".join([*parts, progress.message]) if progress.message else ", ".join(parts)


def _line(trainer: str, progress: Progress) -> str:
    figures = {**progress.losses, **progress.metrics}
    values = "  ".join(f"{name} {value:.5g}" for name, value in figures.items())
    return f"{trainer}: {_where(progress)}" + (f"  {values}" if values else "")


def _can_draw(console: Console) -> bool:
    return console.is_terminal and not console.is_dumb_terminal and console.encoding == "utf-8"
