"""What sessions this user's command line has opened; servers do not list them."""

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
    """One session.

    Attributes:
        session_id: the server's name for it.
        address: of the server.
        trainrun: that is trained in it.
        trainers: kinds of training, in their order.
        phase: number of the one that was asked for last.
        key: that this one was asked for with; empty: noted by an older release, or not asked for.
        begun: whether this one has told anything.
        save_path: where the trained pipeline goes on the server; empty: nowhere.
        opened: when, ISO 8601, UTC.
    """

    session_id: str
    address: str
    trainrun: str
    trainers: tuple[str, ...]
    phase: int = 0
    key: str = ""
    begun: bool = False
    save_path: str = ""
    opened: str = ""


class SessionJournal:
    """A folder with a file for each session, written as a whole, so that two calls do not clash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of_user(cls) -> "SessionJournal":
        """The journal in the folder that the platform has for such things."""
        return cls(platformdirs.user_state_path("cuvis-fleet") / "sessions")

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._folder

    def write(self, entry: JournalEntry) -> JournalEntry:
        """Note a session, or what is new about it; returns the entry as it was noted.

        Raises:
            UnwritableFile: there is no room, or the folder is not writable.
        """
        noted = entry if entry.opened else replace(entry, opened=_now())
        path = self._path(entry.session_id)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableFile(
                f"{self._folder} cannot be made: {error.strerror}; sessions are noted there."
            ) from error
        with atomic_output(path) as unfinished:
            unfinished.write_text(json.dumps(asdict(noted)), encoding="utf-8")
        return noted

    def forget(self, session_id: str) -> None:
        """Take a session out; one that is not noted is none the less forgotten."""
        self._path(session_id).unlink(missing_ok=True)

    def entries(self) -> list[JournalEntry]:
        """All sessions, the oldest first; a file that is none is passed over."""
        return sorted(self._read(), key=lambda entry: (entry.opened, entry.session_id))

    def find(self, name: str) -> JournalEntry | None:
        """The session whose id begins with `name`; None: none is noted.

        Raises:
            CommandFailed: several begin with it.
        """
        found = [entry for entry in self.entries() if entry.session_id.startswith(name)]
        if len(found) > 1:
            raise CommandFailed(
                f"{len(found)} sessions begin with {name}: "
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
            raise CommandFailed(f"{session_id!r} is not the id of a session", ExitCode.USAGE)
        return self._folder / f"{session_id}.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
