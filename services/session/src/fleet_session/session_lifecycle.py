"""Creation and deletion of sessions, and their search paths."""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet_platform.errors import InvalidInput
from fleet_platform.files import PathPolicy
from fleet_platform.sessions import SessionStore, default_search_path, new_session
from fleet_proto.records.v1.records_pb2 import SessionRecord

MAX_SEARCH_PATHS = 256


@dataclass(frozen=True)
class SearchPaths:
    """The result of setting the search paths."""

    current: list[str]
    """The folders that are searched now, absolute and in order."""

    rejected: list[str]
    """Entries that are not readable folders, as they were sent."""


class SessionLifecycle:
    """Creates, changes and deletes sessions in the session store."""

    def __init__(self, sessions: SessionStore, paths: PathPolicy) -> None:
        self._sessions = sessions
        self._paths = paths

    def create(self) -> str:
        """Create a session that searches the server's own configs; return its id."""
        record = new_session(self._paths)
        self._sessions.create(record)
        return record.session_id

    def close(self, session_id: str) -> None:
        """Delete a session.

        Raises:
            NotFound: the session is unknown, expired or already closed.
        """
        self._sessions.delete(session_id)

    def set_search_paths(
        self, session_id: str, paths: Sequence[str], *, append: bool
    ) -> SearchPaths:
        """Set or extend a session's search paths.

        Args:
            session_id: the session.
            paths: folders, absolute or relative to the service's working directory. Entries that
                are not folders or may not be read are rejected; the others are still used.
            append: whether to append the folders to the current search paths instead of replacing
                them. If the paths are replaced and no folder is accepted, the session searches the
                server's own configs.

        Raises:
            NotFound: unknown or expired session.
            InvalidInput: more than 256 folders in total.
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
    return f"search_paths: {count} folders; a session may have at most {MAX_SEARCH_PATHS}."
