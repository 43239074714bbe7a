"""What a run store answers to a sign of life."""

from enum import IntEnum


class Hold(IntEnum):
    """Whether the caller still holds the run; only `LOST` is false."""

    LOST = 0
    """Another holds the run, or it ended: the caller must stop and may write nothing more."""

    HELD = 1
    """Go on."""

    STOPPING = 2
    """Held, and asked to stop at the next boundary."""
