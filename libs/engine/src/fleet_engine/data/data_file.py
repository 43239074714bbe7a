"""A file of measurements and what its reader may look at beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fleet_platform.errors import AppError, InvalidInput


class DataFiles(Protocol):
    """What readers need of the policy on paths."""

    def data_file(self, text: str) -> Path:
        """Return the existing file that a client means by `text`, or raise an `AppError`."""


@dataclass(frozen=True)
class DataFile:
    """One file that a client named.

    Attributes:
        path: where it is.
        sent: its name as the client sent it; the only one that texts repeat.
        files: the policy on paths, for files that belong to this one.
    """

    path: Path
    sent: str
    files: DataFiles

    def sibling(self, name: str) -> Path | None:
        """The file `name` in the same folder, or None where there is none that may be read."""
        try:
            return self.files.data_file(str(self.path.with_name(name)))
        except AppError:
            return None

    def unreadable(self, reason: str) -> InvalidInput:
        """The error that says what is wrong with this file."""
        return InvalidInput(f"Data file '{self.sent}' cannot be read: {reason}")
