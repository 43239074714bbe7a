"""An executor that executes nothing: it accepts runs while it has free slots."""

from dataclasses import dataclass

from fleet_trainer.runs.executor import Assignment


@dataclass
class _FakeSlot:
    executor: "FakeExecutor"
    worker: str = "1000"

    def start(self, assignment: Assignment) -> None:
        self.executor.started.append(assignment)

    def release(self) -> None:
        self.executor.free += 1


class FakeExecutor:
    """Implements `fleet_trainer.runs.executor.Executor`.

    Attributes:
        free: Number of free slots.
        has_worker: Whether a worker is ready for a free slot.
        started: What was started, and is executed for ever.
        killed: What was killed.
        expected: Number of waiting runs that workers were requested for.
    """

    def __init__(self, free: int = 1) -> None:
        self.free = free
        self.has_worker = True
        self.started: list[Assignment] = []
        self.killed: list[Assignment] = []
        self.expected = 0

    def reserve(self) -> _FakeSlot | None:
        if self.free <= 0 or not self.has_worker:
            return None
        self.free -= 1
        return _FakeSlot(self)

    def expect(self, waiting: int) -> None:
        self.expected = waiting

    def free_slots(self) -> int:
        return self.free

    def assignments(self) -> tuple[Assignment, ...]:
        return tuple(self.started)

    def kill(self, assignment: Assignment) -> None:
        self.killed.append(assignment)
