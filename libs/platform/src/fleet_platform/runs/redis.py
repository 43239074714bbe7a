"""Training runs in Redis: a hash and a stream per run."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from redis.commands.core import Script
from typing_extensions import override

from fleet_platform.errors import NotFound
from fleet_platform.redis_connection import RedisConnection, keys_like, redis_answers
from fleet_platform.runs import scripts
from fleet_platform.runs.active_run import ActiveRun
from fleet_platform.runs.lease_status import LeaseStatus
from fleet_platform.runs.run_rules import (
    KEPT_S,
    MAX_ENTRIES,
    as_final,
    as_new,
    require_final,
    run_conflict,
    run_not_found,
)
from fleet_platform.runs.run_store import ProgressEntry, RunStore
from fleet_platform.shown_text import shown
from fleet_platform.stored_records import dump, load
from fleet_proto.records.v1.records_pb2 import RunRecord, RunState

_ENTRIES_PER_READ = 256
# Well below the connection's read timeout; a longer wait consists of several blocking reads.
_MAX_BLOCK_S = 1.0


class RedisRunStore(RunStore):
    """A `RunStore` in Redis, shared by all trainers."""

    def __init__(
        self,
        connection: RedisConnection,
        clock: Callable[[], float] = time.time,
        kept_s: float = KEPT_S,
    ) -> None:
        self._connection = connection
        self._redis = connection.client
        self._clock = clock
        self._kept_ms = max(1, round(kept_s * 1000))
        self._create = self._redis.register_script(scripts.CREATE)
        self._list_active = self._redis.register_script(scripts.LIST_ACTIVE)
        self._claim = self._redis.register_script(scripts.CLAIM)
        self._heartbeat = self._redis.register_script(scripts.HEARTBEAT)
        self._release = self._redis.register_script(scripts.RELEASE)
        self._save_checkpoint = self._redis.register_script(scripts.SAVE_CHECKPOINT)
        self._append = self._redis.register_script(scripts.APPEND)
        self._request_stop = self._redis.register_script(scripts.REQUEST_STOP)

    @override
    def create(self, run: RunRecord) -> RunRecord:
        new = as_new(run, self._now_ms())
        fields = ("record", dump(new), "state", int(new.state))
        reply = self._run(self._create, run.run_id, run.run_id, run.session_id, *fields)
        return _record(run.run_id, _pairs(reply))

    @override
    def active(self) -> list[ActiveRun]:
        with redis_answers():
            flat: Any = self._list_active([], [])
        return [_active_run(*flat[at : at + 5]) for at in range(0, len(flat), 5)]

    @override
    def claim(self, run_id: str, owner: str, expected_token: int | None = None) -> RunRecord:
        expected = "" if expected_token is None else expected_token
        reply = self._run(self._claim, run_id, owner, self._now_ms(), expected)
        return _record(run_id, _pairs(_accepted(run_id, reply)))

    @override
    def read(self, run_id: str) -> RunRecord:
        with redis_answers():
            fields: Any = self._redis.hgetall(scripts.RUN_KEY + run_id)
        if not fields:
            raise run_not_found(run_id)
        return _record(run_id, fields)

    @override
    def all(self) -> Iterator[RunRecord]:
        for key in keys_like(self._redis, scripts.RUN_KEY + "*"):
            # The run may have expired since its key was found.
            with suppress(NotFound):
                yield self.read(key.removeprefix(scripts.RUN_KEY))

    @override
    def heartbeat(self, run_id: str, fencing_token: int) -> LeaseStatus:
        return LeaseStatus(self._run(self._heartbeat, run_id, fencing_token, self._now_ms()))

    @override
    def release(self, run_id: str, fencing_token: int, *, died: bool) -> bool:
        return bool(self._run(self._release, run_id, fencing_token, int(died)))

    @override
    def save_checkpoint(self, run_id: str, fencing_token: int, checkpoint_digest: str) -> None:
        reply = self._run(self._save_checkpoint, run_id, fencing_token, checkpoint_digest)
        _accepted(run_id, reply)

    @override
    def append(self, run_id: str, fencing_token: int, payload: bytes) -> str:
        return _position(run_id, self._write(run_id, fencing_token, payload))

    @override
    def finish(self, run: RunRecord, payload: bytes) -> None:
        _position(run.run_id, self._end(run, run.fencing_token, payload))

    @override
    def cancel_queued(self, run: RunRecord, payload: bytes) -> bool:
        return bool(self._end(run, "", payload))

    @override
    def request_stop(self, run_id: str) -> bool:
        return bool(self._run(self._request_stop, run_id))

    @override
    def tail(self, run_id: str, after: str = "", wait_s: float = 1.0) -> Iterator[ProgressEntry]:
        key = scripts.PROGRESS_KEY + run_id
        position = after or "0"
        deadline = time.monotonic() + wait_s
        while True:
            block_s = min(deadline - time.monotonic(), _MAX_BLOCK_S)
            block_ms = max(1, round(block_s * 1000))  # 0 would block without limit
            with redis_answers():
                reply = self._connection.waiting.xread(
                    {key: position}, count=_ENTRIES_PER_READ, block=block_ms
                )
            for entry in _entries(reply):
                position = entry.position
                yield entry
            if reply:
                deadline = time.monotonic() + wait_s
            elif time.monotonic() >= deadline:
                return

    @override
    def latest(self, run_id: str) -> ProgressEntry | None:
        with redis_answers():
            newest = self._redis.xrevrange(scripts.PROGRESS_KEY + run_id, count=1)
        return _entry(newest[0]) if newest else None

    @override
    def ping(self) -> None:
        self._connection.ping()

    @override
    def close(self) -> None:
        self._connection.close()

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def _run(self, script: Script, run_id: str, *arguments: str | bytes | int) -> Any:
        keys = [scripts.RUN_KEY + run_id, scripts.PROGRESS_KEY + run_id]
        with redis_answers():
            return script(keys, [self._kept_ms, *arguments])

    def _end(self, run: RunRecord, fencing_token: int | str, payload: bytes) -> Any:
        require_final(run)
        end = (int(run.state), dump(as_final(run)), run.run_id)
        return self._write(run.run_id, fencing_token, payload, *end)

    def _write(
        self, run_id: str, fencing_token: int | str, payload: bytes, *end: int | bytes | str
    ) -> Any:
        name = uuid.uuid4().bytes
        return self._run(self._append, run_id, fencing_token, name, payload, MAX_ENTRIES, *end)


def _position(run_id: str, reply: Any) -> str:
    return bytes(_accepted(run_id, reply)).decode()


def _accepted(run_id: str, reply: Any) -> Any:
    if reply is None:
        raise run_not_found(run_id)
    if reply == 0:
        raise run_conflict(run_id)
    return reply


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _record(run_id: str, fields: Mapping[bytes, bytes]) -> RunRecord:
    record = load(RunRecord, fields[b"record"], f"Training run {shown(run_id)}")
    record.state = RunState.ValueType(int(fields[b"state"]))
    record.fencing_token = int(fields[b"token"])
    record.owner = fields.get(b"owner", b"").decode()
    record.heartbeat_ms = int(fields.get(b"heartbeat_ms", 0))
    record.stop_requested = b"stop" in fields
    record.attempts = int(fields.get(b"attempts", 0))
    record.checkpoint_digest = fields.get(b"checkpoint", b"").decode()
    return record


def _active_run(
    run_id: bytes, session_id: bytes, state: bytes, token: bytes, heartbeat_ms: bytes
) -> ActiveRun:
    queued = int(state) == RunState.RUN_STATE_QUEUED
    return ActiveRun(run_id.decode(), session_id.decode(), queued, int(token), int(heartbeat_ms))


def _entries(reply: Any) -> list[ProgressEntry]:
    return [_entry(entry) for _key, entries in reply for entry in entries]


def _entry(entry: Any) -> ProgressEntry:
    position, fields = entry
    return ProgressEntry(position.decode(), fields[b"payload"])
