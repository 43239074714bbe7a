"""The contract between the queue of runs and the code that executes them.

`fleet_trainer.workers.WorkerPool` implements it with child processes of the trainer. Another
implementation, on a cluster scheduler for instance, replaces it in `fleet_trainer.assembly` alone.
"""

from typing import NamedTuple, Protocol

from fleet_platform.errors import AppError


class Assignment(NamedTuple):
    """A run as claimed by one owner.

    Attributes:
        run_id: The run.
        fencing_token: The token of the claim; void as soon as the run has a newer one.
    """

    run_id: str
    fencing_token: int


class Slot(Protocol):
    """A place that is reserved for one run, until exactly one call of `start` or `release`."""

    @property
    def worker(self) -> str:
        """Name of the worker that will execute the run, unique among those of this executor."""

    def start(self, assignment: Assignment) -> None:
        """Execute a run that was claimed for this slot; returns at once.

        A worker that has died since it was reserved does not count as an attempt of the run: the
        listener is notified that the run is released.
        """

    def release(self) -> None:
        """Cancel the reservation."""


class Executor(Protocol):
    """Executes claimed runs, a bounded number at a time. All methods are thread-safe and quick.

    The order for each run is reserve, claim, start: a run is claimed only after a worker is certain
    to be free, and under the name of that worker.
    """

    def reserve(self) -> Slot | None:
        """Reserve a worker that can start a run at once; None if no such worker exists."""

    def expect(self, waiting: int) -> None:
        """Prepare workers for this many waiting runs, as far as slots are free."""

    def free_slots(self) -> int:
        """Return how many more runs can be executed, now or once a worker has started."""

    def assignments(self) -> tuple[Assignment, ...]:
        """Return what is being executed."""

    def kill(self, assignment: Assignment) -> None:
        """Kill the worker that executes exactly this assignment, if there is one."""


class ExecutionListener(Protocol):
    """Is notified by an executor of runs that have lost their worker."""

    def worker_died(self, assignment: Assignment, error: AppError) -> None:
        """The worker died while it executed the run; `error` describes how."""

    def run_released(self, assignment: Assignment) -> None:
        """The executor stopped the worker, or could not start the run; not the run's fault."""
