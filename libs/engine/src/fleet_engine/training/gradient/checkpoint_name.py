"""Checks of checkpoint names."""

import re
import string
from pathlib import Path

from fleet_platform.errors import InvalidInput
from fleet_platform.shown_text import shown

_VALUE = re.compile(r"[^\[\]{}.!]+")
_FORMAT = re.compile(r"0?\d{0,2}(\.\d{1,2})?[defg]?")
_WHOLE_NUMBERS = frozenset({"epoch", "step"})
_MAX_VALUE = 26
_MAX_NAME = 240
"""Limit in bytes; file systems allow 255, and a suffix and a version are added."""


def check_filename(pattern: str) -> None:
    """Refuse a pattern of checkpoint names that cannot be a file name.

    Args:
        pattern: text with values in braces, such as ``{epoch:02d}-{val_loss:.3f}``.

    Raises:
        InvalidInput: it leaves its folder, is too long, or contains invalid braces.
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
            length += len(value.encode()) + _MAX_VALUE
            if conversion or not _VALUE.fullmatch(value) or not _FORMAT.fullmatch(form or ""):
                raise ValueError  # noqa: TRY301 - the same answer as for unbalanced braces
            format(0 if value in _WHOLE_NUMBERS else 0.0, form or "")
    except ValueError as error:
        raise InvalidInput(
            f"{place} cannot be filled in; braces must contain the name of a value and, after a "
            "colon, its format, such as '{epoch:02d}-{val_loss:.3f}'."
        ) from error
    if not pattern.isprintable() or length > _MAX_NAME:
        raise InvalidInput(f"{place} cannot be the name of a file; give a shorter, printable one.")
