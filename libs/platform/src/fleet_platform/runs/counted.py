"""Metrics for training runs."""

from collections.abc import Iterator

from typing_extensions import override

from fleet_platform.runs.active_run import ActiveRun
from fleet_platform.runs.lease_status import LeaseStatus
from fleet_platform.runs.run_store import ProgressEntry, RunStore
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics
from fleet_proto.records.v1.records_pb2 import RunRecord, RunState


class CountedRunStore(RunStore):
    """Wraps a `RunStore`; counts the progress messages and finished runs written through it."""

    def __init__(self, runs: RunStore, registry: MetricRegistry) -> None:
        self._runs = runs
        self._messages = registry.counter(metrics.PROGRESS_MESSAGES)
        self._ended = registry.counter(metrics.RUNS_ENDED)

    @override
    def append(self, run_id: str, fencing_token: int, payload: bytes) -> str:
        position = self._runs.append(run_id, fencing_token, payload)
        self._messages.inc()
        return position

    @override
    def finish(self, run: RunRecord, payload: bytes) -> None:
        self._runs.finish(run, payload)
        self._count_end(run)

    @override
    def cancel_queued(self, run: RunRecord, payload: bytes) -> bool:
        cancelled = self._runs.cancel_queued(run, payload)
        if cancelled:
            self._count_end(run)
        return cancelled

    def _count_end(self, run: RunRecord) -> None:
        self._messages.inc()
        self._ended.labels(RunState.Name(run.state).removeprefix("RUN_STATE_").lower()).inc()

    @override
    def create(self, run: RunRecord) -> RunRecord:
        return self._runs.create(run)

    @override
    def active(self) -> list[ActiveRun]:
        return self._runs.active()

    @override
    def claim(self, run_id: str, owner: str, expected_token: int | None = None) -> RunRecord:
        return self._runs.claim(run_id, owner, expected_token)

    @override
    def read(self, run_id: str) -> RunRecord:
        return self._runs.read(run_id)

    @override
    def all(self) -> Iterator[RunRecord]:
        return self._runs.all()

    @override
    def heartbeat(self, run_id: str, fencing_token: int) -> LeaseStatus:
        return self._runs.heartbeat(run_id, fencing_token)

    @override
    def release(self, run_id: str, fencing_token: int, *, died: bool) -> bool:
        return self._runs.release(run_id, fencing_token, died=died)

    @override
    def save_checkpoint(self, run_id: str, fencing_token: int, checkpoint_digest: str) -> None:
        self._runs.save_checkpoint(run_id, fencing_token, checkpoint_digest)

    @override
    def request_stop(self, run_id: str) -> bool:
        return self._runs.request_stop(run_id)

    @override
    def tail(self, run_id: str, after: str = "", wait_s: float = 1.0) -> Iterator[ProgressEntry]:
        return self._runs.tail(run_id, after, wait_s)

    @override
    def latest(self, run_id: str) -> ProgressEntry | None:
        return self._runs.latest(run_id)

    @override
    def ping(self) -> None:
        self._runs.ping()

    @override
    def close(self) -> None:
        self._runs.close()
