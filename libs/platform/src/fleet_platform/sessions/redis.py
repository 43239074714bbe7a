"""Sessions in Redis: one key per session, its value the serialised record."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from fleet_platform.errors import NotFound
from fleet_platform.redis_connection import RedisConnection, keys_like, redis_answers
from fleet_platform.sessions.compare_and_set import compare_and_set
from fleet_platform.sessions.expiry import session_not_found
from fleet_platform.shown_text import shown
from fleet_platform.stored_records import dump, load
from fleet_proto.records.v1.records_pb2 import SessionRecord

# Writes the new bytes if the old ones are still there, else returns what is there instead, so that
# the next attempt needs no read of its own. Sent again because the reply was lost, it finds the new
# bytes there, which nobody else can have written.
_SWAP = """
local stored = redis.call('GET', KEYS[1])
if stored ~= ARGV[1] and stored ~= ARGV[2] then return stored end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""

# ARGV: name of this call, milliseconds for which it is remembered, longer than it is sent again.
_DELETE = """
if redis.call('DEL', KEYS[1]) == 1 then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  return 1
end
return redis.call('GET', KEYS[2]) == ARGV[1] and 1 or 0
"""
_REMEMBERED_MS = 60_000


class RedisSessionStore:
    """A `SessionStore` that all services share."""

    def __init__(self, connection: RedisConnection, ttl_s: float) -> None:
        self._connection = connection
        self._redis = connection.client
        self._ttl_s = ttl_s
        self._ttl_ms = max(1, round(ttl_s * 1000))
        self._swap = self._redis.register_script(_SWAP)
        self._delete = self._redis.register_script(_DELETE)

    def create(self, record: SessionRecord) -> None:
        """See `SessionStore.create`."""
        with redis_answers():
            self._redis.set(_key(record.session_id), dump(record), px=self._ttl_ms)

    def read(self, session_id: str) -> SessionRecord:
        """See `SessionStore.read`."""
        return load(SessionRecord, self._read_bytes(session_id), f"Session {shown(session_id)}")

    def update(self, session_id: str, change: Callable[[SessionRecord], None]) -> SessionRecord:
        """See `SessionStore.update`."""

        def swap(expected: bytes, written: bytes) -> bytes | None:
            with redis_answers():
                reply = self._swap([_key(session_id)], [expected, written, self._ttl_ms])
            if reply is None:
                raise session_not_found(session_id, self._ttl_s)
            return reply if isinstance(reply, bytes) else None

        return compare_and_set(session_id, self._read_bytes(session_id), change, swap)

    def all(self) -> Iterator[SessionRecord]:
        """See `SessionStore.all`."""
        for key in keys_like(self._redis, _key("*")):
            with redis_answers():
                stored: Any = self._redis.get(key)
            # Nothing is left of it when it expired in this moment.
            with suppress(NotFound):
                if stored is not None:
                    yield load(
                        SessionRecord, bytes(stored), f"Session {key.removeprefix(_key(''))}"
                    )

    def touch(self, session_id: str) -> bool:
        """See `SessionStore.touch`."""
        with redis_answers():
            return bool(self._redis.pexpire(_key(session_id), self._ttl_ms))

    def delete(self, session_id: str) -> None:
        """See `SessionStore.delete`."""
        with redis_answers():
            keys = [_key(session_id), f"fleet:closed-session:{session_id}"]
            deleted = self._delete(keys, [uuid.uuid4().bytes, _REMEMBERED_MS])
        if not deleted:
            raise session_not_found(session_id, self._ttl_s)

    def count(self) -> int:
        """Sessions that are there now, found by looking through all keys."""
        return sum(1 for _ in keys_like(self._redis, _key("*")))

    def ping(self) -> None:
        """See `SessionStore.ping`."""
        self._connection.ping()

    def close(self) -> None:
        """See `SessionStore.close`."""
        self._connection.close()

    def _read_bytes(self, session_id: str) -> bytes:
        with redis_answers():
            stored: Any = self._redis.getex(_key(session_id), px=self._ttl_ms)
        if stored is None:
            raise session_not_found(session_id, self._ttl_s)
        return bytes(stored)


def _key(session_id: str) -> str:
    return f"fleet:session:{session_id}"
