"""What a command says: tables and lines for people, JSON for programs."""

import json
import math
import os
from collections.abc import Mapping
from typing import Any, TextIO

from rich.console import Console, RenderableType

from cuvis_fleet.cli.failures import FailureReport

_WIDTH_OF_FILES = 200
"""Columns where there is no terminal, so that nothing is cut in pipes and files."""


class Report:
    """Says things on both output streams.

    Attributes:
        as_json: whether programs read along: one JSON object a line, and nothing else, on stdout.
        out: for results.
        err: for everything else.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)

    def result(self, document: object, shown: RenderableType) -> None:
        """Say what a command was called for: `document` to programs, `shown` to people."""
        if self.as_json:
            self.line(document)
        else:
            self.out.print(shown)

    def line(self, document: object) -> None:
        """Write one JSON object as a line."""
        stream: TextIO = self.out.file  # type: ignore[assignment]  # rich says IO[str]
        stream.write(json.dumps(_plain(document), ensure_ascii=False, allow_nan=False) + "\n")
        stream.flush()

    def note(self, text: str) -> None:
        """Tell people something beside the result; programs are not told."""
        if not self.as_json:
            self.err.print(text, markup=False, highlight=False, soft_wrap=True)

    def failure(self, failure: FailureReport) -> None:
        """Tell what went wrong, in one line."""
        if self.as_json:
            self.line(failure.document)
        else:
            self.err.print(failure.text, style="red", markup=False, highlight=False, soft_wrap=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_OF_FILES
    return console


def _plain(value: object) -> Any:
    """`value` as JSON knows it; numbers that are not finite become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
