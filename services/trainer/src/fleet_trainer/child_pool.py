"""The trainer's child processes: who works, who stands ready, which runs wait."""

import threading
from collections import deque
from collections.abc import Callable

from fleet_platform.errors import AppError, DependencyDown, Exhausted
from fleet_platform.telemetry import logger
from fleet_trainer.child_process import ChildProcess
from fleet_trainer.child_reply import ChildReply

_log = logger("fleet.trainer")

_FIRST_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 30.0


class ChildPool:
    """At most `slots` runs at a time, each in a process of its own, and a bounded queue of others.

    A child that ended its run well is used again; one that failed in an unforeseen way, or died, is
    replaced. Threads of the children call back here; nothing is called while the lock is held.
    """

    def __init__(
        self,
        settings_json: str,
        *,
        slots: int,
        warm_children: int,
        queue: int,
        on_lost: Callable[[str, AppError], None],
    ) -> None:
        """Make an empty pool; `start` fills it.

        Args:
            settings_json: What each child gets.
            slots: Runs at a time.
            warm_children: Children kept ready, `slots` at most.
            queue: Runs that may wait.
            on_lost: Told of each run that ended with its process, and why, so that it is settled.
        """
        self._settings_json = settings_json
        self._slots = slots
        self._warm_children = min(warm_children, slots)
        self._queue = queue
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self._children: list[ChildProcess] = []
        self._waiting: deque[str] = deque()
        self._closing = threading.Event()
        self._warmed = threading.Event()
        self._early_deaths = 0

    def start(self) -> None:
        """Start the warm children."""
        self._fill()

    def submit(self, run_id: str) -> None:
        """Have a run worked on, now or after those that wait already.

        Raises:
            Exhausted: all slots and all waiting places are taken.
            DependencyDown: the pool is closed.
        """
        with self._lock:
            if self._closing.is_set():
                raise DependencyDown("The trainer is stopping. Call Train again.")
            if self._busy() >= self._slots and len(self._waiting) >= self._queue:
                raise Exhausted(
                    f"All {self._slots} training slots and {self._queue} waiting places of this"
                    " trainer are taken. Call Train again when a training has ended."
                )
            self._waiting.append(run_id)
        self._fill()

    def held(self) -> tuple[str, ...]:
        """Runs that wait or are worked on."""
        with self._lock:
            running = (child.run_id for child in self._children if child.run_id is not None)
            return (*self._waiting, *running)

    def pids(self) -> dict[int, str | None]:
        """Each child's process id and the run it works on."""
        with self._lock:
            return {child.pid: child.run_id for child in self._children}

    def kill(self, run_id: str) -> None:
        """End the child that works on a run; the pool replaces it."""
        with self._lock:
            for child in self._children:
                if child.run_id == run_id:
                    child.kill()

    def ping(self) -> None:
        """Return once a child has stood ready, or when none is kept ready; raises else.

        Raises:
            DependencyDown: no child is ready yet.
        """
        if self._warm_children and not self._warmed.is_set():
            raise DependencyDown("No training process is ready yet.")

    def close(self) -> None:
        """End all children; their runs, and those that wait, are lost."""
        self._closing.set()
        with self._lock:
            children, self._children = self._children, []
            lost = [*self._waiting, *(child.run_id for child in children if child.run_id)]
            self._waiting.clear()
            for child in children:
                child.kill() if child.run_id else child.retire()
        for child in children:
            child.join()
        for run_id in lost:
            self._on_lost(
                run_id, DependencyDown("The trainer was stopped in mid-training. Call Train again.")
            )

    def _busy(self) -> int:
        return sum(child.run_id is not None for child in self._children)

    def _fill(self) -> None:
        """Give waiting runs to children and keep the warm ones ready."""
        with self._lock:
            if self._closing.is_set():
                return
            while self._waiting and self._busy() < self._slots:
                self._idle_child().assign(self._waiting.popleft())
            idle = [child for child in self._children if child.is_idle]
            wanted = min(self._warm_children, self._slots - self._busy())
            for _ in range(wanted - len(idle)):
                self._spawn()
            for child in idle[wanted:]:
                child.retire()

    def _idle_child(self) -> ChildProcess:
        idle = [child for child in self._children if child.is_idle]
        return max(idle, key=lambda child: child.is_warm) if idle else self._spawn()

    def _spawn(self) -> ChildProcess:
        child = ChildProcess(
            self._settings_json, on_reply=self._take_reply, on_exit=self._take_exit
        )
        self._children.append(child)
        child.watch()
        return child

    def _take_reply(self, child: ChildProcess, reply: str) -> None:
        with self._lock:
            if reply == ChildReply.READY:
                child.is_warm = True
                self._early_deaths = 0
                self._warmed.set()
            else:
                child.run_id = None
            if reply == ChildReply.SPENT:
                child.retire()
        self._fill()

    def _take_exit(self, child: ChildProcess) -> None:
        with self._lock:
            if child not in self._children:
                return
            self._children.remove(child)
            lost, child.run_id = child.run_id, None
            if not child.is_warm:
                self._early_deaths += 1
        if not child.is_spent:
            _log.warning("child.died", pid=child.pid, exit_code=child.exit_code, run_id=lost)
        if lost is not None:
            self._on_lost(lost, _death_of(child))
        if self._early_deaths:
            backoff_s = min(_LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2**self._early_deaths)
            self._closing.wait(backoff_s)
        self._fill()


def _death_of(child: ChildProcess) -> DependencyDown:
    code = child.exit_code or 0
    how = f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return DependencyDown(
        f"The process that trained was {how}"
        f"{', perhaps because memory ran out' if code == -9 else ''}."
        " The session is usable; call Train again."
    )
