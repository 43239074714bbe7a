"""The words in which a child process answers its parent, one a line."""

from enum import StrEnum


class ChildReply(StrEnum):
    """What a child says."""

    READY = "ready"
    """Torch is imported, the stores answer: a run begins at once."""

    DONE = "done"
    """The run is over and settled; the child can be given another."""

    SPENT = "spent"
    """The run is over and settled, but the child should be replaced."""
