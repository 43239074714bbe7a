"""A measurement file named by a client, and access to related files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fleet_platform.errors import AppError, InvalidInput


class DataFiles(Protocol):
    """The part of the path policy that readers need."""

    def data_file(self, text: str) -> Path:
        """Return the existing file that a client refers to by `text`, or raise an `AppError`."""


@dataclass(frozen=True)
class DataFile:
    """A file named by a client.

    Attributes:
        path: path of the file.
        sent: its name as the client sent it, for messages.
        files: path policy for related files.
    """

    path: Path
    sent: str
    files: DataFiles

    def sibling(self, name: str) -> Path | None:
        """Return the file `name` in the same folder, or None if it is not readable."""
        try:
            return self.files.data_file(str(self.path.with_name(name)))
        except AppError:
            return None

    def unreadable(self, reason: str) -> InvalidInput:
        """Return the error for a problem of this file."""
        return InvalidInput(f"Data file '{self.sent}' cannot be read: {reason}")
