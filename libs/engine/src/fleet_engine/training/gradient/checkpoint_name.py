"""The names that a client gives its checkpoints."""

import re
import string
from pathlib import Path

from fleet_platform.errors import InvalidInput
from fleet_platform.shown_text import shown

_VALUE = re.compile(r"[^\[\]{}.!]+")
_FORMAT = re.compile(r"0?\d{0,2}(\.\d{1,2})?[defg]?")
_WHOLE_NUMBERS = frozenset({"epoch", "step"})
_LONGEST_VALUE = 26
_LONGEST_NAME = 240
"""Bytes; file systems take 255, and a suffix and a version are added."""


def check_filename(pattern: str) -> None:
    """Refuse a pattern of checkpoint names with which no file could be written.

    Args:
        pattern: text with values in braces, such as ``{epoch:02d}-{val_loss:.3f}``.

    Raises:
        InvalidInput: it leaves its folder, is too long, or its braces have no meaning.
    """
    place = f"training.callbacks.checkpoint.filename '{shown(pattern)}'"
    if Path(pattern).is_absolute() or ".." in pattern:
        raise InvalidInput(f"{place} leaves its folder; give a name such as '{{epoch:02d}}' alone.")
    length = 0
    try:
        for literal, value, form, conversion in string.Formatter().parse(pattern):
            length += len(literal.encode())
            if value is None:
                continue
            length += len(value.encode()) + _LONGEST_VALUE
            if conversion or not _VALUE.fullmatch(value) or not _FORMAT.fullmatch(form or ""):
                raise ValueError  # noqa: TRY301 - the same answer as for unbalanced braces
            format(0 if value in _WHOLE_NUMBERS else 0.0, form or "")
    except ValueError as error:
        raise InvalidInput(
            f"{place} cannot be filled in; in braces stand a value's name and, after a colon, how "
            "it is written, as '{epoch:02d}-{val_loss:.3f}'."
        ) from error
    if not pattern.isprintable() or length > _LONGEST_NAME:
        raise InvalidInput(f"{place} cannot be the name of a file; give a shorter, printable one.")
