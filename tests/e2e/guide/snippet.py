"""A snippet of the published guide, how to run it, and what to expect afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("snippets")


@dataclass(frozen=True)
class Snippet:
    """One way to run a snippet; a snippet that is run in several ways has a row for each.

    Attributes:
        name: the file below ``snippets`` that contains it as printed, without extension.
        heading: its heading in the guide.
        prelude: code that the guide assumes to have run before.
        fills: maps printed code to the code that is run instead, for ``...`` and for names that no
            published message has.
        then: what a reader would do next.
        holds: maps expressions in the snippet's names to their expected values, as JSON.
        prints: patterns of the output, in this order.
        refused: gRPC status and a pattern of its text, if the snippet ends with a failed call.
        case: distinguishes the rows of one snippet.
        why_not: why it cannot run; the other fields are empty then.
    """

    name: str
    heading: str
    prelude: str = ""
    fills: Mapping[str, str] = field(default_factory=dict)
    then: str = ""
    holds: Mapping[str, Any] = field(default_factory=dict)
    prints: tuple[str, ...] = ()
    refused: tuple[str, str] | None = None
    case: str = ""
    why_not: str = ""

    def __str__(self) -> str:
        return f"{self.name}[{self.case}]" if self.case else self.name

    def code(self) -> list[tuple[str, str]]:
        """Return the name and text of each piece, in the order of execution."""
        file = FOLDER / f"{self.name}.py"
        text = file.read_text(encoding="utf-8")
        for printed, filled in self.fills.items():
            if printed not in text:
                raise AssertionError(f"{file.name} has no {printed!r} to fill")
            text = text.replace(printed, filled)
        pieces = [("prelude", self.prelude), (str(file), text), ("then", self.then)]
        return [piece for piece in pieces if piece[1]]
