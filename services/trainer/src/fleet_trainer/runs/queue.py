"""The runs that wait for a trainer, in the store that all trainers share."""

import threading

from fleet_platform.errors import Conflict, Exhausted, NotFound
from fleet_platform.runs import ActiveRun, RunStore
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.workers.pool import ChildPool

_RETRY_AFTER_S = 10


class RunQueue:
    """Gives waiting runs to free children, first come, first served.

    All trainers take from the same queue; a claim that names the run's token decides who gets it.
    """

    def __init__(self, *, runs: RunStore, pool: ChildPool, owner: str, bound: int) -> None:
        """Take the parts.

        Args:
            runs: Where runs wait.
            pool: Who works on them.
            owner: Name of this trainer; its children's names begin with it.
            bound: Runs that may wait.
        """
        self._runs = runs
        self._pool = pool
        self._owner = owner
        self._bound = bound
        self._lock = threading.Lock()

    def admit(self, run_id: str) -> None:
        """Have a new run worked on now, or let it wait.

        Raises:
            Exhausted: no slot is free here and too many runs wait already.
        """
        waiting = self.take_up()
        if run_id not in waiting:
            return
        if waiting.index(run_id) - self._pool.free_slots() >= self._bound:
            raise Exhausted(
                f"All training slots are taken and {self._bound} trainings wait, which is as many"
                f" as may. Call Train again in {_RETRY_AFTER_S} s.",
                retry_after_s=_RETRY_AFTER_S,
            )

    def take_up(self) -> list[str]:
        """Give waiting runs to free children; returns those that still wait, in their order."""
        with self._lock:
            waiting: list[str] = []
            for run in self._runs.active():
                if run.queued and (waiting or not self._give(run)):
                    waiting.append(run.run_id)
        self._pool.expect(len(waiting))
        return waiting

    def ahead_of(self, run_id: str) -> int | None:
        """How many runs wait before this one; None: it does not wait."""
        waiting = [run.run_id for run in self._runs.active() if run.queued]
        return waiting.index(run_id) if run_id in waiting else None

    def _give(self, run: ActiveRun) -> bool:
        """Whether the run does not wait any more."""

        def claim(pid: int) -> Assignment:
            claimed = self._runs.claim(run.run_id, f"{self._owner}:{pid}", run.fencing_token)
            return Assignment(claimed.run_id, claimed.fencing_token)

        try:
            return self._pool.work_on(claim)
        except (Conflict, NotFound):
            return True  # another trainer was faster, or it was cancelled
