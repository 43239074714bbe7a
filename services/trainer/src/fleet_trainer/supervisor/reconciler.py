"""A trainer's look after all runs that have not ended."""

import threading
import time
from collections.abc import Callable, Sequence

from fleet_platform.errors import AppError, DependencyDown
from fleet_platform.runs import ActiveRun, RunStore
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import logger
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.runs.queue import RunQueue
from fleet_trainer.supervisor.recovery import InterruptedRuns
from fleet_trainer.supervisor.stale import LostRuns
from fleet_trainer.workers.pool import ChildPool

_log = logger("fleet.trainer")

_LOOKS_PER_LOSS = 4
"""A loss is only seen by whoever looks at least twice while it takes to be one."""


class RunWatch:
    """Keeps waiting runs alive, takes runs back whose owner fell silent, and fills free slots.

    Every trainer looks after the runs of all, so that one may die at any moment. A child of this
    trainer that hangs, or goes on long after its run was ended or taken over, is killed.
    """

    def __init__(
        self,
        *,
        pool: ChildPool,
        queue: RunQueue,
        runs: RunStore,
        sessions: SessionStore,
        lost: LostRuns,
        interrupted: InterruptedRuns,
        every_s: float,
        lost_after_s: float,
        wake: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the parts.

        Args:
            pool: The children of this trainer.
            queue: Takes waiting runs up.
            runs: Where runs live.
            sessions: Kept from expiring while their runs wait.
            lost: Tells which runs fell silent.
            interrupted: Takes those back.
            every_s: Longest pause between two looks.
            lost_after_s: How long a child may go on after its run has ended.
            wake: Set by whoever wants a look at once.
            clock: Monotonic seconds.
        """
        self._pool = pool
        self._queue = queue
        self._runs = runs
        self._sessions = sessions
        self._lost = lost
        self._interrupted = interrupted
        self._pause_s = min(every_s, lost_after_s / _LOOKS_PER_LOSS)
        self._lost_after_s = lost_after_s
        self._wake = wake
        self._clock = clock
        self._void_since_s: dict[Assignment, float] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="trainer-watch", daemon=True)

    def start(self) -> None:
        """Begin to look, on a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """End; returns after the last look."""
        self._closing.set()
        self._wake.set()
        self._thread.join()

    def look(self) -> None:
        """Look at each run once, then give those that wait to free children."""
        active = self._runs.active()
        for run in active:
            self._keep(run) if run.queued else self._take_back_if_lost(run)
        self._end_void_work(active)
        self._queue.take_up()

    def _watch(self) -> None:
        while not self._closing.is_set():
            try:
                self.look()
            except AppError as error:
                _log.warning("watch.failed", error=error.text)
            self._wake.wait(self._pause_s)
            self._wake.clear()

    def _keep(self, run: ActiveRun) -> None:
        self._runs.heartbeat(run.run_id, run.fencing_token)
        self._sessions.touch(run.session_id)

    def _take_back_if_lost(self, run: ActiveRun) -> None:
        if not self._lost.is_lost(run):
            return
        assignment = Assignment(run.run_id, run.fencing_token)
        if assignment in self._pool.held():
            # It cannot even say that it lives; its end takes the run back.
            _log.warning("child.hangs", run_id=run.run_id)
            self._pool.kill(assignment)
        else:
            gone = DependencyDown("The trainer that ran this training is gone. Call Train again.")
            self._interrupted.died(assignment, gone)

    def _end_void_work(self, active: Sequence[ActiveRun]) -> None:
        """Kill children that go on although their run ended, or is another's, long ago."""
        valid = {Assignment(run.run_id, run.fencing_token) for run in active}
        now_s = self._clock()
        self._void_since_s = {
            held: self._void_since_s.get(held, now_s)
            for held in self._pool.held()
            if held not in valid
        }
        for held, since_s in self._void_since_s.items():
            if now_s - since_s >= self._lost_after_s:
                _log.warning("child.hangs", run_id=held.run_id)
                self._pool.kill(held)
