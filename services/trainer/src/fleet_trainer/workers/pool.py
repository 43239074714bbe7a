"""A pool of warm worker processes."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fleet_platform.backoff import Backoff
from fleet_platform.errors import DependencyDown
from fleet_platform.telemetry import MetricRegistry, logger
from fleet_platform.telemetry.catalogue import metrics
from fleet_trainer.runs.executor import Assignment, ExecutionListener
from fleet_trainer.worker.messages import Finished, MetricsReport, Ready, WorkerMessage

_log = logger("fleet.trainer")

_FIRST_BACKOFF_S = 1.0
_MAX_BACKOFF_S = 30.0


class Process(Protocol):
    """A worker process as the pool sees it; `WorkerProcess` implements it."""

    @property
    def pid(self) -> int:
        """Process id."""

    @property
    def exit_code(self) -> int | None:
        """Exit code, negative for a signal; None while the process runs."""

    def watch(
        self, on_message: Callable[[WorkerMessage], None], on_exit: Callable[[], None]
    ) -> None:
        """Forward messages and the exit of the process on another thread."""

    def assign(self, assignment: Assignment) -> None:
        """Make the idle worker execute a run."""

    def retire(self) -> None:
        """Ask the worker to exit when it is idle."""

    def kill(self) -> None:
        """Kill the process."""

    def join(self) -> None:
        """Wait until the process has ended, and until its exit was forwarded."""


@dataclass(eq=False, slots=True)
class _Worker:
    process: Process
    assignment: Assignment | None = None
    is_reserved: bool = False
    is_warm: bool = False
    is_spent: bool = False

    @property
    def is_busy(self) -> bool:
        return self.assignment is not None or self.is_reserved

    @property
    def is_idle(self) -> bool:
        """Whether it can execute a run once it is warm."""
        return not self.is_busy and not self.is_spent

    @property
    def state(self) -> str:
        if self.is_busy:
            return "busy"
        return "idle" if self.is_warm else "starting"

    def retire(self) -> None:
        self.is_spent = True
        self.process.retire()

    def kill(self) -> None:
        self.is_spent = True
        self.process.kill()


class WorkerPool:
    """Executes at most `slots` runs at a time, each in its own process.

    A worker whose run ended well is used again; one whose run failed unexpectedly, or which died,
    is replaced. Messages of workers arrive on their threads; nothing is called while the lock is
    held. Implements `fleet_trainer.runs.executor.Executor`.
    """

    def __init__(
        self,
        spawn: Callable[[], Process],
        *,
        slots: int,
        warm_workers: int,
        listener: ExecutionListener,
        on_free: Callable[[], None],
        registry: MetricRegistry | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Create an empty pool; `start` fills it.

        Args:
            spawn: Starts a worker process.
            slots: Maximum number of runs at a time.
            warm_workers: Workers kept ready, at most `slots`.
            listener: Notified of each run that lost its process.
            on_free: Called whenever a worker may be free to execute a run.
            registry: Receives the counts of the workers.
            backoff: Pauses before processes that die while starting are replaced.
        """
        self._spawn_process = spawn
        self._slots = slots
        self._warm_workers = min(warm_workers, slots)
        self._expected = 0
        self._listener = listener
        self._on_free = on_free
        self._registry = registry or MetricRegistry()
        self._failures = self._registry.counter(metrics.TRAIN_CHILD_DEATHS)
        self._backoff = backoff or Backoff(_FIRST_BACKOFF_S, _MAX_BACKOFF_S)
        self._lock = threading.Lock()
        self._workers: list[_Worker] = []
        self._closing = threading.Event()
        self._was_warm = threading.Event()

    def start(self) -> None:
        """Start the warm workers."""
        self._fill()

    def reserve(self) -> "WorkerSlot | None":
        """Reserve a warm worker; None if no slot or no warm worker is free."""
        with self._lock:
            worker = None if self._closing.is_set() else self._free_worker()
            if worker is None:
                return None
            worker.is_reserved = True
        return WorkerSlot(self, worker)

    def expect(self, waiting: int) -> None:
        """Start workers for this many waiting runs, as far as slots are free."""
        with self._lock:
            self._expected = waiting
        self._fill()

    def free_slots(self) -> int:
        """Return how many more runs can be executed, now or once a worker is warm."""
        with self._lock:
            return self._slots - self._busy()

    def assignments(self) -> tuple[Assignment, ...]:
        """Return what is being executed."""
        with self._lock:
            return tuple(worker.assignment for worker in self._workers if worker.assignment)

    def pids(self) -> dict[int, str | None]:
        """Return each worker's process id and the run that it executes."""
        with self._lock:
            return {
                worker.process.pid: worker.assignment.run_id if worker.assignment else None
                for worker in self._workers
            }

    def states(self) -> Mapping[str, int]:
        """Return how many workers are busy, idle and starting."""
        with self._lock:
            states = Counter({"busy": 0, "idle": 0, "starting": 0})
            states.update(worker.state for worker in self._workers)
            return states

    def kill(self, assignment: Assignment) -> None:
        """Kill the worker that executes exactly this assignment; the pool replaces it."""
        with self._lock:
            for worker in self._workers:
                if worker.assignment == assignment:
                    worker.kill()

    def ping(self) -> None:
        """Return if a worker has been ready at least once, or if none is kept ready.

        Raises:
            DependencyDown: no worker has been ready yet.
        """
        if self._warm_workers and not self._was_warm.is_set():
            raise DependencyDown("No training process is ready yet.")

    def close(self) -> None:
        """End all workers and release their runs."""
        self._closing.set()
        with self._lock:
            workers, self._workers = self._workers, []
            for worker in workers:
                worker.kill() if worker.assignment or not worker.is_warm else worker.retire()
        for worker in workers:
            worker.process.join()
        for worker in workers:
            if worker.assignment:
                self._listener.run_released(worker.assignment)

    def _start_run(self, worker: _Worker, assignment: Assignment) -> None:
        """Execute a run on a reserved worker."""
        with self._lock:
            worker.is_reserved = False
            is_alive = worker in self._workers
            if is_alive:
                worker.assignment = assignment
                worker.process.assign(assignment)
        if not is_alive:
            self._listener.run_released(assignment)
        self._fill()

    def _release(self, worker: _Worker) -> None:
        """Cancel the reservation of a worker."""
        with self._lock:
            worker.is_reserved = False

    def _busy(self) -> int:
        return sum(worker.is_busy for worker in self._workers)

    def _free_worker(self) -> _Worker | None:
        if self._busy() >= self._slots:
            return None
        return next((each for each in self._workers if each.is_idle and each.is_warm), None)

    def _fill(self) -> None:
        """Keep as many workers ready as may soon be needed."""
        with self._lock:
            if self._closing.is_set():
                return
            idle = [worker for worker in self._workers if worker.is_idle]
            wanted = min(max(self._warm_workers, self._expected), self._slots - self._busy())
            for _ in range(wanted - len(idle)):
                self._spawn()
            for worker in sorted(idle, key=lambda worker: not worker.is_warm)[wanted:]:
                worker.retire()

    def _spawn(self) -> None:
        worker = _Worker(self._spawn_process())
        self._workers.append(worker)
        worker.process.watch(
            lambda message: self._handle_message(worker, message),
            lambda: self._handle_exit(worker),
        )

    def _handle_message(self, worker: _Worker, message: WorkerMessage) -> None:
        if isinstance(message, MetricsReport):
            self._registry.take_report(worker.process.pid, message.report)
            return
        with self._lock:
            match message:
                case Ready():
                    worker.is_warm = True
                    self._backoff.reset()
                    self._was_warm.set()
                case Finished():
                    worker.assignment = None
                    if message.is_spent:
                        worker.retire()
        self._fill()
        self._on_free()

    def _handle_exit(self, worker: _Worker) -> None:
        pid, exit_code = worker.process.pid, worker.process.exit_code
        self._registry.reported.forget(pid)
        with self._lock:
            if worker not in self._workers:
                return
            self._workers.remove(worker)
            lost, worker.assignment = worker.assignment, None
            pause_s = 0.0 if worker.is_warm else self._backoff.next_s()
        if not worker.is_spent:
            self._failures.inc()
            run_id = lost.run_id if lost else None
            _log.warning("worker.died", pid=pid, exit_code=exit_code, run_id=run_id)
        if lost is not None:
            self._listener.worker_died(lost, _failure(exit_code or 0))
        self._closing.wait(pause_s)
        self._fill()
        self._on_free()


@dataclass(frozen=True, slots=True)
class WorkerSlot:
    """A reserved worker of a pool. Implements `fleet_trainer.runs.executor.Slot`."""

    _pool: WorkerPool
    _worker: _Worker

    @property
    def worker(self) -> str:
        """The process id of the worker."""
        return str(self._worker.process.pid)

    def start(self, assignment: Assignment) -> None:
        """Execute a run; if the worker has died since, the run is released."""
        self._pool._start_run(self._worker, assignment)

    def release(self) -> None:
        """Cancel the reservation."""
        self._pool._release(self._worker)


def _failure(exit_code: int) -> DependencyDown:
    killed = exit_code < 0
    how = f"was killed by signal {-exit_code}" if killed else f"ended with exit code {exit_code}"
    return DependencyDown(
        f"The training process {how}"
        f"{', perhaps because memory ran out' if exit_code == -9 else ''}."
        " The session can still be used; call Train again."
    )
