"""Runs as metrics."""

from fleet_platform.redis_connection import RedisConnection
from fleet_platform.runs.redis import RedisRunStore
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.registry import metrics
from fleet_proto.records.v1.records_pb2 import RunRecord, RunState


class CountedRunStore(RedisRunStore):
    """A run store that counts the messages and the ends of runs that are written here."""

    def __init__(self, connection: RedisConnection, registry: MetricRegistry) -> None:
        super().__init__(connection)
        self._messages = registry.counter(metrics.PROGRESS_MESSAGES)
        self._ended = registry.counter(metrics.RUNS_ENDED)

    def append(self, run_id: str, fencing_token: int, payload: bytes) -> str:
        """See `RunStore.append`."""
        position = super().append(run_id, fencing_token, payload)
        self._messages.inc()
        return position

    def finish(self, run: RunRecord, payload: bytes) -> None:
        """See `RunStore.finish`."""
        super().finish(run, payload)
        self._count_end(run)

    def cancel_queued(self, run: RunRecord, payload: bytes) -> bool:
        """See `RunStore.cancel_queued`."""
        cancelled = super().cancel_queued(run, payload)
        if cancelled:
            self._count_end(run)
        return cancelled

    def _count_end(self, run: RunRecord) -> None:
        self._messages.inc()
        self._ended.labels(RunState.Name(run.state).removeprefix("RUN_STATE_").lower()).inc()
