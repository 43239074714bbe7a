"""Reconciles all unfinished runs."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fleet_platform.errors import AppError, DependencyDown
from fleet_platform.runs import ActiveRun, RunStore
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import logger
from fleet_trainer.runs.executor import Assignment, Executor
from fleet_trainer.runs.queue import RunQueue
from fleet_trainer.supervisor.recovery import RunRecovery
from fleet_trainer.supervisor.stale import StaleRunDetector

_log = logger("fleet.trainer")

_POLLS_PER_LOSS = 4
"""Polls per `lost_after_s`; detecting a silent owner takes at least two polls in that time."""


@dataclass(kw_only=True)
class RunReconciler:
    """Keeps waiting runs alive, recovers runs whose owner fell silent, and fills free slots.

    Every trainer reconciles the runs of all trainers, so that any of them may die at any moment. A
    worker of this trainer that hangs, or still works long after its run has ended or has been taken
    over, is killed.
    """

    executor: Executor
    """The workers of this trainer."""

    queue: RunQueue
    """Starts waiting runs."""

    runs: RunStore
    """Where runs are stored."""

    sessions: SessionStore
    """Sessions of waiting runs are kept from expiring."""

    stale: StaleRunDetector
    """Detects runs whose owner fell silent."""

    recovery: RunRecovery
    """Returns those to the queue."""

    interval_s: float
    """Longest pause between two reconciliations."""

    lost_after_s: float
    """Grace period of a worker after its run has ended."""

    wake: threading.Event
    """Set to request a reconciliation at once."""

    clock: Callable[[], float] = time.monotonic
    """Monotonic seconds."""

    _superseded_since_s: dict[Assignment, float] = field(default_factory=dict, init=False)
    _closing: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        """Create the thread, which `start` starts."""
        self._thread = threading.Thread(target=self._run, name="trainer-reconciler", daemon=True)

    def start(self) -> None:
        """Reconcile repeatedly on a daemon thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop; returns after the reconciliation in progress."""
        self._closing.set()
        self.wake.set()
        self._thread.join()

    def reconcile(self) -> None:
        """Check each unfinished run once, then assign waiting runs to free workers."""
        active = self.runs.active()
        for run in active:
            self._keep_alive(run) if run.queued else self._recover_if_stale(run)
        self._kill_superseded_workers(active)
        self.queue.dispatch()

    def _run(self) -> None:
        pause_s = min(self.interval_s, self.lost_after_s / _POLLS_PER_LOSS)
        while not self._closing.is_set():
            try:
                self.reconcile()
            except AppError as error:
                _log.warning("reconciliation.failed", error=error.text)
            self.wake.wait(pause_s)
            self.wake.clear()

    def _keep_alive(self, run: ActiveRun) -> None:
        self.runs.heartbeat(run.run_id, run.fencing_token)
        self.sessions.touch(run.session_id)

    def _recover_if_stale(self, run: ActiveRun) -> None:
        if not self.stale.is_stale(run):
            return
        assignment = Assignment(run.run_id, run.fencing_token)
        if assignment in self.executor.assignments():
            # The worker cannot even send heartbeats. Once it is killed, its run is recovered.
            _log.warning("worker.hangs", run_id=run.run_id)
            self.executor.kill(assignment)
        else:
            gone = DependencyDown("The trainer that ran this training is gone. Call Train again.")
            self.recovery.worker_died(assignment, gone)

    def _kill_superseded_workers(self, active: Sequence[ActiveRun]) -> None:
        """Kill workers whose run ended, or got another owner, more than `lost_after_s` ago."""
        valid = {Assignment(run.run_id, run.fencing_token) for run in active}
        now_s = self.clock()
        self._superseded_since_s = {
            assignment: self._superseded_since_s.get(assignment, now_s)
            for assignment in self.executor.assignments()
            if assignment not in valid
        }
        for assignment, since_s in self._superseded_since_s.items():
            if now_s - since_s >= self.lost_after_s:
                _log.warning("worker.hangs", run_id=assignment.run_id)
                self.executor.kill(assignment)
