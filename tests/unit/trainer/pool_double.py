"""Stands in for the trainer's children: takes runs while it has free ones."""

from fleet_trainer.runs.executor import Assignment


class PoolDouble:
    def __init__(self, free: int = 1) -> None:
        self.free = free
        self.taken: list[Assignment] = []
        self.killed: list[Assignment] = []
        self.expected = 0

    def work_on(self, claim):
        if self.free <= 0:
            return False
        self.taken.append(claim(1000))
        self.free -= 1
        return True

    def expect(self, waiting):
        self.expected = waiting

    def free_slots(self):
        return self.free

    def held(self):
        return tuple(self.taken)

    def kill(self, assignment):
        self.killed.append(assignment)
