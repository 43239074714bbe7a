"""One line of the doctor."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: what was looked at.
        level: ``ok``; ``warn``: work is possible, with a limit; ``fail``: it is not.
        found: how it is.
        remedy: what to do; empty: nothing.
    """

    check: str
    level: Level
    found: str
    remedy: str = ""
