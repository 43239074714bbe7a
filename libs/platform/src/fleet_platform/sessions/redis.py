"""Sessions in Redis: one key per session, its value the serialised record."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from typing_extensions import override

from fleet_platform.errors import NotFound
from fleet_platform.redis_connection import RedisConnection, keys_like, redis_answers
from fleet_platform.sessions.compare_and_set import compare_and_set
from fleet_platform.sessions.session_rules import session_not_found
from fleet_platform.sessions.session_store import SessionStore
from fleet_platform.shown_text import shown
from fleet_platform.stored_records import dump, load
from fleet_proto.records.v1.records_pb2 import SessionRecord

# Writes the new bytes if the old ones are still stored; otherwise returns the stored ones, so that
# the next attempt needs no separate read. If the script is sent again because the reply was lost,
# it finds the new bytes, which no other writer can have written.
_SWAP = """
local stored = redis.call('GET', KEYS[1])
if stored ~= ARGV[1] and stored ~= ARGV[2] then return stored end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""

# ARGV: name of this call, and for how many ms it is remembered, which is longer than its retries.
_DELETE = """
if redis.call('DEL', KEYS[1]) == 1 then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  return 1
end
return redis.call('GET', KEYS[2]) == ARGV[1] and 1 or 0
"""
_REMEMBERED_MS = 60_000


class RedisSessionStore(SessionStore):
    """A `SessionStore` in Redis, shared by all services."""

    def __init__(self, connection: RedisConnection, ttl_s: float) -> None:
        self._connection = connection
        self._redis = connection.client
        self._ttl_s = ttl_s
        self._ttl_ms = max(1, round(ttl_s * 1000))
        self._swap = self._redis.register_script(_SWAP)
        self._delete = self._redis.register_script(_DELETE)

    @override
    def create(self, record: SessionRecord) -> None:
        with redis_answers():
            self._redis.set(_key(record.session_id), dump(record), px=self._ttl_ms)

    @override
    def read(self, session_id: str) -> SessionRecord:
        return load(SessionRecord, self._read_bytes(session_id), f"Session {shown(session_id)}")

    @override
    def update(self, session_id: str, change: Callable[[SessionRecord], None]) -> SessionRecord:

        def swap(expected: bytes, written: bytes) -> bytes | None:
            with redis_answers():
                reply = self._swap([_key(session_id)], [expected, written, self._ttl_ms])
            if reply is None:
                raise session_not_found(session_id, self._ttl_s)
            return reply if isinstance(reply, bytes) else None

        return compare_and_set(session_id, self._read_bytes(session_id), change, swap)

    @override
    def all(self) -> Iterator[SessionRecord]:
        for key in keys_like(self._redis, _key("*")):
            with redis_answers():
                stored: Any = self._redis.get(key)
            # The session may have expired since its key was found.
            with suppress(NotFound):
                if stored is not None:
                    yield load(
                        SessionRecord, bytes(stored), f"Session {key.removeprefix(_key(''))}"
                    )

    @override
    def touch(self, session_id: str) -> bool:
        with redis_answers():
            return bool(self._redis.pexpire(_key(session_id), self._ttl_ms))

    @override
    def delete(self, session_id: str) -> None:
        with redis_answers():
            keys = [_key(session_id), f"fleet:closed-session:{session_id}"]
            deleted = self._delete(keys, [uuid.uuid4().bytes, _REMEMBERED_MS])
        if not deleted:
            raise session_not_found(session_id, self._ttl_s)

    def count(self) -> int:
        """Return the number of open sessions, found by a scan of all keys."""
        return sum(1 for _ in keys_like(self._redis, _key("*")))

    @override
    def ping(self) -> None:
        self._connection.ping()

    @override
    def close(self) -> None:
        self._connection.close()

    def _read_bytes(self, session_id: str) -> bytes:
        with redis_answers():
            stored: Any = self._redis.getex(_key(session_id), px=self._ttl_ms)
        if stored is None:
            raise session_not_found(session_id, self._ttl_s)
        return bytes(stored)


def _key(session_id: str) -> str:
    return f"fleet:session:{session_id}"
