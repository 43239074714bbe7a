"""The state of an owner's lease on a run."""

from enum import IntEnum


class LeaseStatus(IntEnum):
    """The result of a heartbeat, for the owner of a run; only `LOST` is falsy."""

    LOST = 0
    """Another owner holds the run, or it has ended: the caller must stop and must not write."""

    HELD = 1
    """The lease is renewed."""

    STOPPING = 2
    """The lease is renewed, and the run should stop at its next boundary."""
