"""An in-memory run store for tests."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from typing_extensions import override

from fleet_platform.runs.active_run import ActiveRun
from fleet_platform.runs.lease_status import LeaseStatus
from fleet_platform.runs.run_rules import (
    KEPT_S,
    MAX_ENTRIES,
    REJECTED,
    as_final,
    as_new,
    is_active,
    require_final,
    run_conflict,
    run_not_found,
)
from fleet_platform.runs.run_store import ProgressEntry, RunStore
from fleet_platform.stored_records import copied
from fleet_proto.records.v1.records_pb2 import RunRecord, RunState


@dataclass
class _Run:
    record: RunRecord
    written_s: float
    entries: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=MAX_ENTRIES))

    @property
    def active(self) -> bool:
        return is_active(self.record)

    @property
    def queued(self) -> bool:
        return self.record.state == RunState.RUN_STATE_QUEUED

    def held_with(self, fencing_token: int) -> bool:
        return self.active and self.record.fencing_token == fencing_token


class MemoryRunStore(RunStore):
    """A `RunStore` in dictionaries, protected by one lock."""

    def __init__(self, clock: Callable[[], float] = time.time, kept_s: float = KEPT_S) -> None:
        self._clock = clock
        self._kept_s = kept_s
        self._changed = threading.Condition()
        self._runs: dict[str, _Run] = {}
        self._run_of_session: dict[str, str] = {}

    @override
    def create(self, run: RunRecord) -> RunRecord:
        with self._changed:
            own = self._find(run.run_id)
            if own is not None and own.record.state != REJECTED:
                return copied(own.record)
            current = self._find(self._run_of_session.get(run.session_id, ""))
            if current is not None and current.active:
                return copied(current.record)
            new = as_new(run, self._now_ms())
            new.fencing_token = own.record.fencing_token if own is not None else 0
            self._runs[run.run_id] = _Run(new, self._clock())
            self._run_of_session[run.session_id] = run.run_id
            return copied(new)

    @override
    def active(self) -> list[ActiveRun]:
        with self._changed:
            return [
                ActiveRun(
                    run.record.run_id,
                    run.record.session_id,
                    run.queued,
                    run.record.fencing_token,
                    run.record.heartbeat_ms,
                )
                for run in self._remembered()
                if run.active
            ]

    @override
    def claim(self, run_id: str, owner: str, expected_token: int | None = None) -> RunRecord:
        with self._changed:
            run = self._get(run_id)
            newest = run.record.fencing_token
            expected = newest if expected_token is None else expected_token
            if run.active and run.record.owner == owner and newest == expected + 1:
                return copied(run.record)
            if not run.held_with(expected):
                raise run_conflict(run_id)
            run.record.owner = owner
            run.record.state = RunState.RUN_STATE_RUNNING
            run.record.fencing_token += 1
            run.record.attempts += 1
            run.record.heartbeat_ms = self._now_ms()
            run.written_s = self._clock()
            return copied(run.record)

    @override
    def read(self, run_id: str) -> RunRecord:
        with self._changed:
            return copied(self._get(run_id).record)

    @override
    def all(self) -> Iterator[RunRecord]:
        with self._changed:
            records = [copied(run.record) for run in self._remembered()]
        yield from records

    @override
    def heartbeat(self, run_id: str, fencing_token: int) -> LeaseStatus:
        with self._changed:
            run = self._find(run_id)
            if run is None or not run.held_with(fencing_token):
                return LeaseStatus.LOST
            run.record.heartbeat_ms = self._now_ms()
            run.written_s = self._clock()
            return LeaseStatus.STOPPING if run.record.stop_requested else LeaseStatus.HELD

    @override
    def release(self, run_id: str, fencing_token: int, *, died: bool) -> bool:
        with self._changed:
            run = self._find(run_id)
            if run is None or run.queued or not run.held_with(fencing_token):
                return False
            run.record.owner = ""
            run.record.state = RunState.RUN_STATE_QUEUED
            run.record.fencing_token += 1
            run.record.attempts -= 0 if died else min(1, run.record.attempts)
            run.written_s = self._clock()
            return True

    @override
    def save_checkpoint(self, run_id: str, fencing_token: int, checkpoint_digest: str) -> None:
        with self._changed:
            run = self._held(run_id, fencing_token)
            run.record.checkpoint_digest = checkpoint_digest
            run.record.attempts = 0
            run.written_s = self._clock()

    @override
    def append(self, run_id: str, fencing_token: int, payload: bytes) -> str:
        with self._changed:
            return self._append(self._held(run_id, fencing_token), payload)

    @override
    def finish(self, run: RunRecord, payload: bytes) -> None:
        require_final(run)
        with self._changed:
            self._end(self._held(run.run_id, run.fencing_token), run, payload)

    @override
    def cancel_queued(self, run: RunRecord, payload: bytes) -> bool:
        require_final(run)
        with self._changed:
            held = self._find(run.run_id)
            if held is None or not held.queued:
                return False
            self._end(held, run, payload)
            return True

    @override
    def request_stop(self, run_id: str) -> bool:
        with self._changed:
            run = self._find(run_id)
            if run is None or not run.active:
                return False
            run.record.stop_requested = True
            run.written_s = self._clock()
            return True

    @override
    def tail(self, run_id: str, after: str = "", wait_s: float = 1.0) -> Iterator[ProgressEntry]:
        seen = _number(after) if after else 0
        while entries := self._wait_for_entries(run_id, seen, wait_s):
            for seen, payload in entries:
                yield ProgressEntry(_position(seen), payload)

    @override
    def latest(self, run_id: str) -> ProgressEntry | None:
        with self._changed:
            run = self._find(run_id)
            if run is None or not run.entries:
                return None
            number, payload = run.entries[-1]
            return ProgressEntry(_position(number), payload)

    @override
    def ping(self) -> None:
        """Do nothing: an in-memory store is always available."""

    @override
    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def _find(self, run_id: str) -> _Run | None:
        run = self._runs.get(run_id)
        if run is not None and self._clock() - run.written_s >= self._kept_s:
            del self._runs[run_id]
            return None
        return run

    def _remembered(self) -> list[_Run]:
        return [run for run_id in tuple(self._runs) if (run := self._find(run_id))]

    def _get(self, run_id: str) -> _Run:
        run = self._find(run_id)
        if run is None:
            raise run_not_found(run_id)
        return run

    def _held(self, run_id: str, fencing_token: int) -> _Run:
        run = self._get(run_id)
        if not run.held_with(fencing_token):
            raise run_conflict(run_id)
        return run

    def _end(self, run: _Run, ended: RunRecord, payload: bytes) -> None:
        final = as_final(ended)
        for kept in ("owner", "fencing_token", "heartbeat_ms", "stop_requested", "attempts"):
            setattr(final, kept, getattr(run.record, kept))
        run.record = final
        self._append(run, payload)

    def _append(self, run: _Run, payload: bytes) -> str:
        number = run.entries[-1][0] + 1 if run.entries else 1
        run.entries.append((number, payload))
        run.written_s = self._clock()
        self._changed.notify_all()
        return _position(number)

    def _wait_for_entries(self, run_id: str, seen: int, wait_s: float) -> list[tuple[int, bytes]]:
        def new_entries() -> list[tuple[int, bytes]]:
            run = self._find(run_id)
            return [] if run is None else [entry for entry in run.entries if entry[0] > seen]

        with self._changed:
            return self._changed.wait_for(new_entries, timeout=wait_s)


def _position(number: int) -> str:
    return f"{number}-0"


def _number(position: str) -> int:
    return int(position.partition("-")[0])
