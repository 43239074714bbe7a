"""A trainer's look after the runs that it holds."""

import threading
import time
from collections.abc import Callable, Collection

from fleet_platform.errors import AppError
from fleet_platform.runs import RunStore
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import logger
from fleet_trainer.lost_runs import LostRuns
from fleet_trainer.run_endings import is_active

_log = logger("fleet.trainer")

_UNCLAIMED = 0
"""Fencing token of a run that nobody has claimed yet."""


class RunWatch:
    """Speaks for runs that wait, and gives up children that hang, so that no slot stays blocked.

    A run is alive on behalf of this trainer until a child claims it and speaks for itself. A run
    whose child fell silent is settled as lost, and a child that still works on a run that ended
    long ago is killed.
    """

    def __init__(
        self,
        *,
        held: Callable[[], Collection[str]],
        kill: Callable[[str], None],
        runs: RunStore,
        sessions: SessionStore,
        lost: LostRuns,
        every_s: float,
        lost_after_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the parts.

        Args:
            held: The runs that wait here or are worked on by a child of this trainer.
            kill: Ends the child that works on a run.
            runs: Where runs live.
            sessions: Kept from expiring while their runs wait.
            lost: Settles runs that fell silent.
            every_s: Pause between two looks.
            lost_after_s: How long a child may go on after its run has ended.
            clock: Monotonic seconds.
        """
        self._held = held
        self._kill = kill
        self._runs = runs
        self._sessions = sessions
        self._lost = lost
        self._every_s = every_s
        self._lost_after_s = lost_after_s
        self._clock = clock
        self._ended_since_s: dict[str, float] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="trainer-watch", daemon=True)

    def start(self) -> None:
        """Begin to look, on a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """End; returns after the last look."""
        self._closing.set()
        self._thread.join()

    def look(self) -> None:
        """Look at each run once."""
        held = self._held()
        self._ended_since_s = {
            run_id: since_s for run_id, since_s in self._ended_since_s.items() if run_id in held
        }
        for run_id in held:
            try:
                self._look_at(run_id)
            except AppError as error:
                _log.warning("watch.failed", run_id=run_id, error=error.text)

    def _watch(self) -> None:
        while not self._closing.wait(self._every_s):
            self.look()

    def _look_at(self, run_id: str) -> None:
        waits = self._runs.heartbeat(run_id, _UNCLAIMED)
        run = self._runs.read(run_id)
        if waits:
            self._sessions.touch(run.session_id)
            return
        if is_active(run):
            self._lost.settle_if_lost(run)
            return
        now_s = self._clock()
        if now_s - self._ended_since_s.setdefault(run_id, now_s) >= self._lost_after_s:
            _log.warning("child.hangs", run_id=run_id)
            self._kill(run_id)
