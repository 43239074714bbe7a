"""The contract of a session store."""

from collections.abc import Callable, Iterator
from typing import Protocol

from fleet_proto.records.v1.records_pb2 import SessionRecord


class SessionStore(Protocol):
    """Keeps one record per session, each with a sliding expiry.

    Every method has a deadline of its own and raises `DependencyDown` when the store does not
    answer within it. An expired session and one that never was are the same: `NotFound`, with the
    text ``Session <id> not found. Sessions expire after <ttl> without a call; create a new one with
    CreateSession.``
    """

    def create(self, record: SessionRecord) -> None:
        """Store a new record under ``record.session_id`` and start its expiry."""

    def read(self, session_id: str) -> SessionRecord:
        """Return the record and push its expiry, in one round trip.

        Raises:
            NotFound: unknown or expired.
        """

    def update(self, session_id: str, change: Callable[[SessionRecord], None]) -> SessionRecord:
        """Apply `change` to a fresh copy and write it back if nobody else wrote in between.

        Compare-and-set with a bounded number of attempts; `change` may therefore run several times,
        now and then on its own result (when the connection broke before the reply), and may raise
        an `AppError` to give up without writing. Pushes the expiry.

        Returns:
            The record as written.

        Raises:
            NotFound: unknown or expired.
            Conflict: the attempts are used up.
        """

    def all(self) -> Iterator[SessionRecord]:
        """Every session, in no order; pushes no expiry.

        One that is there throughout is among them; those that cannot be read are left out.
        """

    def touch(self, session_id: str) -> bool:
        """Push the expiry only; False when the session is unknown or expired."""

    def delete(self, session_id: str) -> None:
        """Forget the session.

        Raises:
            NotFound: unknown or expired.
        """

    def ping(self) -> None:
        """Return when the store answers; raise `DependencyDown` when it does not."""

    def close(self) -> None:
        """Close the connections; the last thing that a service does with the store."""
