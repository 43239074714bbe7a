"""A run in the hands of one owner."""

from typing import NamedTuple


class Assignment(NamedTuple):
    """What a child works on.

    Attributes:
        run_id: the run.
        fencing_token: what the run was claimed with; void once the run has a newer one.
    """

    run_id: str
    fencing_token: int

    def to_line(self) -> str:
        """As a parent tells it to its child."""
        return f"{self.run_id} {self.fencing_token}"

    @classmethod
    def from_line(cls, line: str) -> "Assignment":
        """Read what `to_line` wrote."""
        run_id, token = line.split()
        return cls(run_id, int(token))
