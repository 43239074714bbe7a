"""Session records and the contract of their store."""

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from fleet_platform.files import PathPolicy
from fleet_proto.records.v1.records_pb2 import SessionRecord


class SessionStore(ABC):
    """One record per session, each with a sliding expiry.

    Every method has its own deadline and raises `DependencyDown` if the store does not answer
    within it. An expired session is the same as one that never existed: `NotFound`, with the text
    ``Session <id> not found. Sessions expire after <ttl> without a call; create a new one with
    CreateSession.``
    """

    @abstractmethod
    def create(self, record: SessionRecord) -> None:
        """Store a new record under ``record.session_id`` and start its expiry."""

    @abstractmethod
    def read(self, session_id: str) -> SessionRecord:
        """Return the record and extend its expiry, in one round trip.

        Raises:
            NotFound: unknown or expired.
        """

    @abstractmethod
    def update(self, session_id: str, change: Callable[[SessionRecord], None]) -> SessionRecord:
        """Apply `change` to a fresh copy and write it back unless another writer was faster.

        Compare-and-set with a limited number of attempts. `change` may therefore run several times,
        sometimes on its own result (if the connection broke before the reply), and may raise an
        `AppError` to give up without writing. Extends the expiry.

        Returns:
            The record as written.

        Raises:
            NotFound: unknown or expired.
            Conflict: all attempts failed.
        """

    @abstractmethod
    def all(self) -> Iterator[SessionRecord]:
        """Yield every session, in no particular order, without extending its expiry.

        Sessions that exist throughout the iteration are included; unreadable ones are skipped.
        """

    @abstractmethod
    def touch(self, session_id: str) -> bool:
        """Extend the expiry only; return False if the session is unknown or expired."""

    @abstractmethod
    def delete(self, session_id: str) -> None:
        """Delete the session.

        Raises:
            NotFound: unknown or expired.
        """

    @abstractmethod
    def ping(self) -> None:
        """Return if the store answers; raise `DependencyDown` if it does not."""

    @abstractmethod
    def close(self) -> None:
        """Close the connections; the store must not be used afterwards."""


def new_session(paths: PathPolicy) -> SessionRecord:
    """Return a record with a random id that searches the server's own configurations."""
    return SessionRecord(
        session_id=str(uuid.uuid4()),
        created_ms=time.time_ns() // 1_000_000,
        search_paths=[default_search_path(paths)],
    )


def default_search_path(paths: PathPolicy) -> str:
    """Return the folder that a session searches if it has no search paths."""
    return str(paths.configs_dir.resolve())
