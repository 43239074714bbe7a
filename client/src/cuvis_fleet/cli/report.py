"""Output of a command: tables and lines of text, or JSON."""

import json
import math
import os
from collections.abc import Mapping
from typing import Any, TextIO

from rich.console import Console, RenderableType

from cuvis_fleet.cli.failures import FailureReport

_WIDTH_WITHOUT_TERMINAL = 200
"""Number of columns in pipes and files, wide enough not to truncate anything."""


class Report:
    """Writes to both output streams.

    Attributes:
        as_json: whether stdout has only JSON, one object per line.
        out: console for results.
        err: console for everything else.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)

    def result(self, document: object, shown: RenderableType) -> None:
        """Write the result of a command: `document` in JSON mode, else `shown`."""
        if self.as_json:
            self.line(document)
        else:
            self.out.print(shown)

    def line(self, document: object) -> None:
        """Write a JSON object on a line."""
        stream: TextIO = self.out.file  # type: ignore[assignment]  # rich says IO[str]
        stream.write(json.dumps(_plain(document), ensure_ascii=False, allow_nan=False) + "\n")
        stream.flush()

    def note(self, text: str) -> None:
        """Write a message besides the result; suppressed in JSON mode."""
        if not self.as_json:
            self.err.print(text, markup=False, highlight=False, soft_wrap=True)

    def failure(self, failure: FailureReport) -> None:
        """Write a failure on one line."""
        if self.as_json:
            self.line(failure.document)
        else:
            self.err.print(failure.text, style="red", markup=False, highlight=False, soft_wrap=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


def _plain(value: object) -> Any:
    """Convert `value` to JSON types; numbers that are not finite become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
