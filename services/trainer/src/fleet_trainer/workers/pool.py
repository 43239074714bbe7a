"""The trainer's child processes: who works, and who stands ready."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

from fleet_platform.errors import AppError, DependencyDown
from fleet_platform.telemetry import MetricRegistry, logger
from fleet_platform.telemetry.catalogue import metrics
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.worker.messages import ChildReply
from fleet_trainer.workers.process import ChildProcess

_log = logger("fleet.trainer")

_FIRST_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 30.0


class Losses(Protocol):
    """Hears of runs that lose their process; `InterruptedRuns` is one."""

    def died(self, assignment: Assignment, error: AppError) -> None:
        """The process died; `error` says how."""

    def given_back(self, assignment: Assignment) -> None:
        """The process was ended because the trainer stops."""


class ChildPool:
    """At most `slots` runs at a time, each in a process of its own.

    A child that ended its run well is used again; one that failed in an unforeseen way, or died, is
    replaced. Threads of the children call back here; nothing is called while the lock is held.
    """

    def __init__(
        self,
        settings_json: str,
        *,
        slots: int,
        warm_children: int,
        losses: Losses,
        on_free: Callable[[], None],
        registry: MetricRegistry | None = None,
    ) -> None:
        """Make an empty pool; `start` fills it.

        Args:
            settings_json: What each child gets.
            slots: Runs at a time.
            warm_children: Children kept ready, `slots` at most.
            losses: Hears of each run that lost its process.
            on_free: Called whenever a child may be free to take a run.
            registry: Gets what the children count.
        """
        self._settings_json = settings_json
        self._slots = slots
        self._warm_children = min(warm_children, slots)
        self._expected = 0
        self._losses = losses
        self._on_free = on_free
        self._registry = registry or MetricRegistry()
        self._deaths = self._registry.counter(metrics.TRAIN_CHILD_DEATHS)
        self._lock = threading.Lock()
        self._children: list[ChildProcess] = []
        self._closing = threading.Event()
        self._warmed = threading.Event()
        self._early_deaths = 0

    def start(self) -> None:
        """Start the warm children."""
        self._fill()

    def work_on(self, claim: Callable[[int], Assignment]) -> bool:
        """Have a child work on a run.

        Args:
            claim: Given the child's process id, takes the run for it; what it raises passes
                through, and the child stays free.

        Returns:
            False, without a call of `claim`, when no warm child is free.
        """
        with self._lock:
            child = None if self._closing.is_set() else self._free_child()
            if child is None:
                return False
            child.is_reserved = True
        try:
            assignment = claim(child.pid)
        except BaseException:
            with self._lock:
                child.is_reserved = False
            raise
        with self._lock:
            child.is_reserved = False
            is_there = child in self._children
            if is_there:
                child.assign(assignment)
        if not is_there:
            self._losses.given_back(assignment)
        self._fill()
        return True

    def expect(self, waiting: int) -> None:
        """Make children ready for so many runs that wait, as far as slots are free."""
        with self._lock:
            self._expected = waiting
        self._fill()

    def free_slots(self) -> int:
        """Runs that could be worked on here in addition, now or when a child is warm."""
        with self._lock:
            return self._slots - self._busy()

    def held(self) -> tuple[Assignment, ...]:
        """What is worked on."""
        with self._lock:
            return tuple(child.assignment for child in self._children if child.assignment)

    def pids(self) -> dict[int, str | None]:
        """Each child's process id and the run it works on."""
        with self._lock:
            return {
                child.pid: child.assignment.run_id if child.assignment else None
                for child in self._children
            }

    def states(self) -> Mapping[str, int]:
        """How many children are busy, idle and starting."""
        with self._lock:
            states = Counter({"busy": 0, "idle": 0, "starting": 0})
            states.update(_state_of(child) for child in self._children)
            return states

    def kill(self, assignment: Assignment) -> None:
        """End the child that works on this; the pool replaces it."""
        with self._lock:
            for child in self._children:
                if child.assignment == assignment:
                    child.kill()

    def ping(self) -> None:
        """Return once a child has stood ready, or when none is kept ready; raises else.

        Raises:
            DependencyDown: no child is ready yet.
        """
        if self._warm_children and not self._warmed.is_set():
            raise DependencyDown("No training process is ready yet.")

    def close(self) -> None:
        """End all children; their runs are given back."""
        self._closing.set()
        with self._lock:
            children, self._children = self._children, []
            for child in children:
                child.kill() if child.assignment else child.retire()
        for child in children:
            child.join()
        for child in children:
            if child.assignment:
                self._losses.given_back(child.assignment)

    def _busy(self) -> int:
        return sum(child.assignment is not None or child.is_reserved for child in self._children)

    def _free_child(self) -> ChildProcess | None:
        if self._busy() >= self._slots:
            return None
        free = (child for child in self._children if child.is_idle and child.is_warm)
        return next(free, None)

    def _fill(self) -> None:
        """Keep as many children ready as may soon be needed."""
        with self._lock:
            if self._closing.is_set():
                return
            idle = [child for child in self._children if child.is_idle]
            wanted = min(max(self._warm_children, self._expected), self._slots - self._busy())
            for _ in range(wanted - len(idle)):
                self._spawn()
            for child in sorted(idle, key=lambda child: not child.is_warm)[wanted:]:
                child.retire()

    def _spawn(self) -> None:
        child = ChildProcess(
            self._settings_json,
            on_reply=self._take_reply,
            on_metrics=lambda child, report: self._registry.take_report(child.pid, report),
            on_exit=self._take_exit,
        )
        self._children.append(child)
        child.watch()

    def _take_reply(self, child: ChildProcess, reply: str) -> None:
        with self._lock:
            if reply == ChildReply.READY:
                child.is_warm = True
                self._early_deaths = 0
                self._warmed.set()
            else:
                child.assignment = None
            if reply == ChildReply.SPENT:
                child.retire()
        self._fill()
        self._on_free()

    def _take_exit(self, child: ChildProcess) -> None:
        self._registry.reported.forget(child.pid)
        with self._lock:
            if child not in self._children:
                return
            self._children.remove(child)
            lost, child.assignment = child.assignment, None
            if not child.is_warm:
                self._early_deaths += 1
        if not child.is_spent:
            self._deaths.inc()
            run_id = lost.run_id if lost else None
            _log.warning("child.died", pid=child.pid, exit_code=child.exit_code, run_id=run_id)
        if lost is not None:
            self._losses.died(lost, _death_of(child))
        if self._early_deaths:
            backoff_s = min(_LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2**self._early_deaths)
            self._closing.wait(backoff_s)
        self._fill()
        self._on_free()


def _state_of(child: ChildProcess) -> str:
    if child.assignment is not None or child.is_reserved:
        return "busy"
    return "idle" if child.is_warm else "starting"


def _death_of(child: ChildProcess) -> DependencyDown:
    code = child.exit_code or 0
    how = f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return DependencyDown(
        f"The process that trained was {how}"
        f"{', perhaps because memory ran out' if code == -9 else ''}."
        " The session is usable; call Train again."
    )
