"""Sessions that only their creator can see."""

from collections.abc import Callable, Iterator

from typing_extensions import override

from fleet_platform.caller import current_caller
from fleet_platform.sessions.session_rules import session_not_found
from fleet_platform.sessions.session_store import SessionStore
from fleet_proto.records.v1.records_pb2 import SessionRecord


class OwnerScopedSessionStore(SessionStore):
    """A `SessionStore` that records the owner of each session and hides it from other callers.

    Another caller's session looks like one that never existed: `NotFound`, with the same text.
    If the gateway does not authenticate, all callers count as one, with an empty name.
    Background work of a service, outside of any call, can access all sessions.
    """

    def __init__(self, sessions: SessionStore, ttl_s: float) -> None:
        """Wrap `sessions`; `ttl_s` is their lifetime, for error texts."""
        self._sessions = sessions
        self._ttl_s = ttl_s

    @override
    def create(self, record: SessionRecord) -> None:
        """Store a new record whose owner is the current caller."""
        caller = current_caller()
        if caller is not None:
            record.owner = caller.identity
        self._sessions.create(record)

    @override
    def read(self, session_id: str) -> SessionRecord:
        record = self._sessions.read(session_id)
        self._require_own(record, session_id)
        return record

    @override
    def update(self, session_id: str, change: Callable[[SessionRecord], None]) -> SessionRecord:
        def change_own(record: SessionRecord) -> None:
            self._require_own(record, session_id)
            change(record)

        return self._sessions.update(session_id, change_own)

    @override
    def all(self) -> Iterator[SessionRecord]:
        """Yield the sessions of all owners; for background work only."""
        return self._sessions.all()

    @override
    def touch(self, session_id: str) -> bool:
        """Extend the expiry, regardless of the owner; for background work only."""
        return self._sessions.touch(session_id)

    @override
    def delete(self, session_id: str) -> None:
        """Delete the session; unlike the other methods, this needs a second round trip."""
        self.read(session_id)
        self._sessions.delete(session_id)

    @override
    def ping(self) -> None:
        self._sessions.ping()

    @override
    def close(self) -> None:
        self._sessions.close()

    def _require_own(self, record: SessionRecord, session_id: str) -> None:
        caller = current_caller()
        if caller is not None and record.owner != caller.identity:
            raise session_not_found(session_id, self._ttl_s)
