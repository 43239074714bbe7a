"""A snippet of the published guide, what it takes to run it, and what must hold afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("snippets")


@dataclass(frozen=True)
class Snippet:
    """One way to run a snippet; a snippet that needs several has a row for each.

    Attributes:
        name: its file below ``snippets``, which holds it as printed, without extension.
        heading: where the guide has it.
        prelude: what the guide takes for granted before it.
        fills: what stands in the print -> what is run in its place: the print has ``...`` there, or
            a name that no published message has.
        then: what a reader would do next.
        holds: expressions in the snippet's names -> their values afterwards, as JSON.
        prints: patterns of what is printed, in this order.
        refused: gRPC status and a pattern of its text, where the snippet ends with a failed call.
        case: tells rows of one snippet apart.
        why_not: why it cannot run; the rest is empty then.
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
        """Name and text of each piece, in the order in which they run."""
        file = FOLDER / f"{self.name}.py"
        text = file.read_text(encoding="utf-8")
        for printed, filled in self.fills.items():
            if printed not in text:
                raise AssertionError(f"{file.name} has no {printed!r} to fill")
            text = text.replace(printed, filled)
        pieces = [("prelude", self.prelude), (str(file), text), ("then", self.then)]
        return [piece for piece in pieces if piece[1]]
