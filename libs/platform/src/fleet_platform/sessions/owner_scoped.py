"""Sessions that exist for their creator alone."""

from collections.abc import Callable, Iterator

from fleet_platform.caller import current_caller
from fleet_platform.sessions.expiry import session_not_found
from fleet_platform.sessions.session_store import SessionStore
from fleet_proto.records.v1.records_pb2 import SessionRecord


class OwnerScopedSessionStore:
    """A `SessionStore` that writes down who creates a session and hides it from everybody else.

    Another caller's session and one that never was are the same: `NotFound`, with the same text.
    Where the gateway does not authenticate, every caller is the same one, with an empty name. What
    a service does by itself, outside of any call, reaches all sessions.
    """

    def __init__(self, sessions: SessionStore, ttl_s: float) -> None:
        """Stand before `sessions`, whose expiry is told to callers as `ttl_s`."""
        self._sessions = sessions
        self._ttl_s = ttl_s

    def create(self, record: SessionRecord) -> None:
        """See `SessionStore.create`; the record's owner becomes whoever calls."""
        caller = current_caller()
        if caller is not None:
            record.owner = caller.identity
        self._sessions.create(record)

    def read(self, session_id: str) -> SessionRecord:
        """See `SessionStore.read`."""
        record = self._sessions.read(session_id)
        self._require_own(record, session_id)
        return record

    def update(self, session_id: str, change: Callable[[SessionRecord], None]) -> SessionRecord:
        """See `SessionStore.update`."""

        def change_own(record: SessionRecord) -> None:
            self._require_own(record, session_id)
            change(record)

        return self._sessions.update(session_id, change_own)

    def all(self) -> Iterator[SessionRecord]:
        """See `SessionStore.all`; for what services do by themselves."""
        return self._sessions.all()

    def touch(self, session_id: str) -> bool:
        """See `SessionStore.touch`; services do so by themselves, for work that goes on."""
        return self._sessions.touch(session_id)

    def delete(self, session_id: str) -> None:
        """See `SessionStore.delete`; the one method that takes another round trip."""
        self.read(session_id)
        self._sessions.delete(session_id)

    def ping(self) -> None:
        """See `SessionStore.ping`."""
        self._sessions.ping()

    def close(self) -> None:
        """See `SessionStore.close`."""
        self._sessions.close()

    def _require_own(self, record: SessionRecord, session_id: str) -> None:
        caller = current_caller()
        if caller is not None and record.owner != caller.identity:
            raise session_not_found(session_id, self._ttl_s)
