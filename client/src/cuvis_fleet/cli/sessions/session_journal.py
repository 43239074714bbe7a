"""The sessions that this user's command line has opened; servers do not list them."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.formats import UnwritableFile
from cuvis_fleet.formats.atomic_files import atomic_output

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True)
class JournalEntry:
    """A session in the journal.

    Attributes:
        session_id: id of the session on the server.
        address: address of the server.
        trainrun: the trainrun that is trained in it.
        trainers: kinds of training, in order.
        phase: index of the training that was requested last.
        key: key of that training; empty: written by an older release, or not requested yet.
        started: whether that training has sent a message.
        save_path: path on the server for the trained pipeline; empty: it is not saved.
        opened: time at which it was opened, ISO 8601, UTC.
    """

    session_id: str
    address: str
    trainrun: str
    trainers: tuple[str, ...]
    phase: int = 0
    key: str = ""
    started: bool = False
    save_path: str = ""
    opened: str = ""


class SessionJournal:
    """A folder with one file per session, written atomically for concurrent commands."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of_user(cls) -> "SessionJournal":
        """Return the journal in the platform's state folder."""
        return cls(platformdirs.user_state_path("cuvis-fleet") / "sessions")

    @property
    def folder(self) -> Path:
        """The journal's folder."""
        return self._folder

    def write(self, entry: JournalEntry) -> JournalEntry:
        """Add or update a session; return the entry as written.

        Raises:
            UnwritableFile: the disk is full, or the folder is not writable.
        """
        written = entry if entry.opened else replace(entry, opened=_now())
        path = self._path(entry.session_id)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableFile(
                f"{self._folder} cannot be created: {error.strerror}; it records the sessions."
            ) from error
        with atomic_output(path) as unfinished:
            unfinished.write_text(json.dumps(asdict(written)), encoding="utf-8")
        return written

    def remove(self, session_id: str) -> None:
        """Remove a session; a missing one is ignored."""
        self._path(session_id).unlink(missing_ok=True)

    def entries(self) -> list[JournalEntry]:
        """Return all sessions, oldest first; invalid files are ignored."""
        return sorted(self._read(), key=lambda entry: (entry.opened, entry.session_id))

    def find(self, name: str) -> JournalEntry | None:
        """Return the session whose id starts with `name`; None: not in the journal.

        Raises:
            CommandFailed: several ids start with it.
        """
        found = [entry for entry in self.entries() if entry.session_id.startswith(name)]
        if len(found) > 1:
            raise CommandFailed(
                f"{len(found)} sessions start with {name}: "
                f"{', '.join(entry.session_id for entry in found)}",
                ExitCode.USAGE,
            )
        return found[0] if found else None

    def _read(self) -> Iterator[JournalEntry]:
        for path in self._folder.glob("*.json"):
            try:
                stored = json.loads(path.read_text(encoding="utf-8"))
                yield JournalEntry(**{**stored, "trainers": tuple(stored["trainers"])})
            except (OSError, ValueError, TypeError, KeyError):
                continue

    def _path(self, session_id: str) -> Path:
        if not _ID.fullmatch(session_id):
            raise CommandFailed(f"{session_id!r} is not a session id", ExitCode.USAGE)
        return self._folder / f"{session_id}.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
