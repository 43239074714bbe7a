"""Opening and closing sessions, and where they look for configs."""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet_platform.errors import InvalidInput
from fleet_platform.files import PathPolicy
from fleet_platform.sessions import SessionStore, default_search_path, new_session
from fleet_proto.records.v1.records_pb2 import SessionRecord

MAX_SEARCH_PATHS = 256


@dataclass(frozen=True)
class SearchPaths:
    """Outcome of setting the search paths."""

    current: list[str]
    """Absolute folders that are now searched, in order."""

    rejected: list[str]
    """Entries that name no readable folder, as they were sent."""


class SessionLifecycle:
    """Keeps nothing itself: every session lives in the store."""

    def __init__(self, sessions: SessionStore, paths: PathPolicy) -> None:
        self._sessions = sessions
        self._paths = paths

    def create(self) -> str:
        """Open a session that searches the server's own configs; returns its id."""
        record = new_session(self._paths)
        self._sessions.create(record)
        return record.session_id

    def close(self, session_id: str) -> None:
        """Forget a session.

        Raises:
            NotFound: unknown, expired or closed already.
        """
        self._sessions.delete(session_id)

    def set_search_paths(
        self, session_id: str, paths: Sequence[str], *, append: bool
    ) -> SearchPaths:
        """Change where a session looks for configs.

        Args:
            session_id: the session.
            paths: folders; relative ones start at the service's working directory. Those that are
                no folder, or lie outside what may be read, are rejected and the others kept.
            append: whether they come after the present ones or in their place. In place of them
                and with none accepted, the session searches the server's own configs again.

        Raises:
            NotFound: unknown or expired session.
            InvalidInput: more than 256 folders in all.
        """
        if len(paths) > MAX_SEARCH_PATHS:
            raise InvalidInput(_too_many(len(paths)))
        accepted: list[str] = []
        rejected: list[str] = []
        for path in paths:
            folder = self._paths.search_path(path)
            if folder is None:
                rejected.append(path)
            else:
                accepted.append(str(folder))

        def change(record: SessionRecord) -> None:
            before = list(record.search_paths) if append else []
            # A dictionary keeps the order and each folder once.
            after = list(dict.fromkeys([*before, *accepted])) or [default_search_path(self._paths)]
            if len(after) > MAX_SEARCH_PATHS:
                raise InvalidInput(_too_many(len(after)))
            record.search_paths[:] = after

        record = self._sessions.update(session_id, change)
        return SearchPaths(list(record.search_paths), rejected)


def _too_many(count: int) -> str:
    return f"search_paths: {count} folders; a session searches at most {MAX_SEARCH_PATHS}."
