"""A result of the doctor."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """The result of a check.

    Attributes:
        check: name of the check.
        level: ``ok``; ``warn``: works with a restriction; ``fail``: does not work.
        found: what the check found.
        remedy: what to do; empty: nothing to do.
    """

    check: str
    level: Level
    found: str
    remedy: str = ""
