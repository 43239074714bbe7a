"""Options that take several comma-separated numbers."""

from collections.abc import Callable
from typing import TypeVar

import typer

Number = TypeVar("Number", int, float)


def numbers(
    kind: Callable[[str], Number], text: str, count: int, option: str, example: str
) -> list[Number]:
    """Parse comma-separated numbers.

    Args:
        kind: ``int`` or ``float``.
        text: the value of the option.
        count: the required number of numbers.
        option: name of the option, for the error text.
        example: a valid value, for the error text.

    Raises:
        typer.BadParameter: the value is malformed.
    """
    try:
        found = [kind(each) for each in text.split(",")]
    except ValueError:
        found = []
    if len(found) != count:
        raise typer.BadParameter(
            f"{text} is not a list of {count} comma-separated numbers, such as {example}",
            param_hint=option,
        )
    return found
