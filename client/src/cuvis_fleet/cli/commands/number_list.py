"""Options that take several numbers at once."""

from collections.abc import Callable
from typing import TypeVar

import typer

Number = TypeVar("Number", int, float)


def numbers(
    kind: Callable[[str], Number], text: str, count: int, option: str, example: str
) -> list[Number]:
    """The numbers of a text that has commas between them.

    Args:
        kind: ``int`` or ``float``.
        text: as it was typed.
        count: how many there have to be.
        option: which one is read.
        example: of what would be right.

    Raises:
        typer.BadParameter: something else was typed.
    """
    try:
        found = [kind(each) for each in text.split(",")]
    except ValueError:
        found = []
    if len(found) != count:
        raise typer.BadParameter(
            f"{text} is not {count} numbers with commas between, such as {example}",
            param_hint=option,
        )
    return found
