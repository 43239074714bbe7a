"""How far a statistical fit has come."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class FitEvent:
    """One step of the fit of one node.

    Attributes:
        kind: start, progress (after each batch) or end.
        node: name of the node.
        done: measurements taken in so far.
        total: measurements of the whole pass; 0 while not known, which is so in a first pass whose
            caller did not say.
    """

    kind: Literal["start", "progress", "end"]
    node: str
    done: int
    total: int
