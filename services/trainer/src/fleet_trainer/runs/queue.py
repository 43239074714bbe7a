"""The queue of waiting runs, which all trainers share."""

import threading
from dataclasses import dataclass, field

from fleet_platform.errors import Conflict, Exhausted, NotFound
from fleet_platform.runs import ActiveRun, RunStore
from fleet_trainer.runs.executor import Assignment, Executor

_RETRY_AFTER_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQueue:
    """Assigns waiting runs to free workers, first come, first served.

    All trainers take runs from the same queue; a claim that names the run's token decides which
    trainer gets a run.
    """

    runs: RunStore
    """The store in which runs wait."""

    executor: Executor
    """Executes the runs that this trainer claims."""

    owner: str
    """Name of this trainer, the prefix of its workers' names."""

    limit: int
    """Number of runs that may wait."""

    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def admit(self, run_id: str) -> None:
        """Start a new run now, or leave it in the queue.

        Raises:
            Exhausted: no slot is free here and too many runs wait already.
        """
        waiting = self.dispatch()
        if run_id not in waiting:
            return
        if waiting.index(run_id) - self.executor.free_slots() >= self.limit:
            raise Exhausted(
                f"All training slots are busy and {self.limit} training runs are queued, which is "
                f"the limit. Call Train again in {_RETRY_AFTER_S} s.",
                retry_after_s=_RETRY_AFTER_S,
            )

    def dispatch(self) -> list[str]:
        """Assign waiting runs to free workers; return those that still wait, in their order."""
        with self._lock:
            waiting: list[str] = []
            for run in self.runs.active():
                if run.queued and (waiting or not self._assign(run)):
                    waiting.append(run.run_id)
        self.executor.expect(len(waiting))
        return waiting

    def ahead_of(self, run_id: str) -> int | None:
        """Return how many runs wait before this one; None if it does not wait."""
        waiting = [run.run_id for run in self.runs.active() if run.queued]
        return waiting.index(run_id) if run_id in waiting else None

    def _assign(self, run: ActiveRun) -> bool:
        """Try to start a run here; return whether it no longer waits."""
        slot = self.executor.reserve()
        if slot is None:
            return False
        try:
            claimed = self.runs.claim(run.run_id, f"{self.owner}:{slot.worker}", run.fencing_token)
        except (Conflict, NotFound):
            slot.release()  # another trainer was faster, or the run was cancelled
            return True
        except BaseException:
            slot.release()
            raise
        slot.start(Assignment(claimed.run_id, claimed.fencing_token))
        return True
