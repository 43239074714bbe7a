"""Runs whose trainer is gone: how they are recognised and settled."""

import threading
import time
from collections.abc import Callable

from fleet_platform.errors import AppError, Conflict, DependencyDown, NotFound
from fleet_platform.runs import RunStore
from fleet_platform.telemetry import logger
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_trainer import run_endings, train_messages

_log = logger("fleet.trainer")


class LostRuns:
    """Watches the signs of life of the runs that it is shown, and fails those that have none.

    Only this process's own clock counts: a run is lost when this process saw one and the same sign
    of life for `lost_after_s`, looking at least every half of that. So neither hosts whose clocks
    differ nor an outage of the store, in which nobody can give or see a sign, lose a run.
    """

    def __init__(
        self,
        runs: RunStore,
        *,
        owner: str,
        lost_after_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runs = runs
        self._owner = owner
        self._lost_after_s = lost_after_s
        self._clock = clock
        self._lock = threading.Lock()
        # By run: its sign of life, when this process saw it first, and when last.
        self._seen: dict[str, tuple[int, float, float]] = {}

    def settle_if_lost(self, run: RunRecord) -> None:
        """Fail an active run that has shown no sign of life for too long."""
        if self._is_lost(run):
            self.settle(
                run.run_id,
                DependencyDown("The trainer that ran this training is gone. Call Train again."),
            )

    def settle(self, run_id: str, error: AppError) -> None:
        """End a run that nobody works on any more; one that has ended already is left alone.

        Args:
            run_id: The run.
            error: What its clients are told.
        """
        try:
            run = self._runs.claim(run_id, self._owner)
            self._runs.finish(
                run_endings.failed(run, error),
                train_messages.failed(error.text).SerializeToString(),
            )
        except (Conflict, NotFound):
            return
        except DependencyDown as down:
            # Whoever follows the run sees it lost when the store is back.
            _log.warning("run.not_settled", run_id=run_id, error=down.text)
            return
        _log.warning("run.lost", run_id=run_id, session_id=run.session_id, error=error.text)

    def _is_lost(self, run: RunRecord) -> bool:
        now_s = self._clock()
        with self._lock:
            fresh_s = now_s - self._lost_after_s / 2
            self._seen = {key: seen for key, seen in self._seen.items() if seen[2] >= fresh_s}
            sign, first_s, _ = self._seen.get(run.run_id, (run.heartbeat_ms, now_s, now_s))
            if sign != run.heartbeat_ms:
                first_s = now_s
            self._seen[run.run_id] = (run.heartbeat_ms, first_s, now_s)
        return now_s - first_s >= self._lost_after_s
