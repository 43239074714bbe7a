"""An in-memory session store for tests."""

import threading
import time
from collections.abc import Callable, Iterator

from typing_extensions import override

from fleet_platform.sessions.compare_and_set import compare_and_set
from fleet_platform.sessions.session_rules import session_not_found
from fleet_platform.sessions.session_store import SessionStore
from fleet_platform.shown_text import shown
from fleet_platform.stored_records import dump, load
from fleet_proto.records.v1.records_pb2 import SessionRecord


class MemorySessionStore(SessionStore):
    """A `SessionStore` in a dictionary; it keeps bytes, so that callers never share a message."""

    def __init__(self, ttl_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl_s = ttl_s
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[bytes, float]] = {}  # bytes, when they expire

    @override
    def create(self, record: SessionRecord) -> None:
        with self._lock:
            now = self._clock()
            self._entries = {
                session_id: entry for session_id, entry in self._entries.items() if entry[1] > now
            }
            self._entries[record.session_id] = (dump(record), now + self._ttl_s)

    @override
    def read(self, session_id: str) -> SessionRecord:
        with self._lock:
            stored = self._push_expiry(session_id)
        return load(SessionRecord, stored, f"Session {shown(session_id)}")

    @override
    def update(self, session_id: str, change: Callable[[SessionRecord], None]) -> SessionRecord:

        def swap(expected: bytes, written: bytes) -> bytes | None:
            with self._lock:
                current = self._push_expiry(session_id)
                if current is not expected:
                    return current
                self._entries[session_id] = (written, self._clock() + self._ttl_s)
                return None

        with self._lock:
            stored = self._push_expiry(session_id)
        return compare_and_set(session_id, stored, change, swap)

    @override
    def all(self) -> Iterator[SessionRecord]:
        with self._lock:
            alive = {key: stored for key, (stored, _) in self._entries.items() if self._alive(key)}
        for session_id, stored in alive.items():
            yield load(SessionRecord, stored, f"Session {shown(session_id)}")

    @override
    def touch(self, session_id: str) -> bool:
        with self._lock:
            if not self._alive(session_id):
                return False
            self._push_expiry(session_id)
            return True

    @override
    def delete(self, session_id: str) -> None:
        with self._lock:
            self._push_expiry(session_id)
            del self._entries[session_id]

    @override
    def ping(self) -> None:
        """Do nothing: an in-memory store is always available."""

    @override
    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _alive(self, session_id: str) -> bool:
        entry = self._entries.get(session_id)
        return entry is not None and entry[1] > self._clock()

    def _push_expiry(self, session_id: str) -> bytes:
        if not self._alive(session_id):
            raise session_not_found(session_id, self._ttl_s)
        stored, _ = self._entries[session_id]
        self._entries[session_id] = (stored, self._clock() + self._ttl_s)
        return stored
