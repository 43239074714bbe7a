"""Progress of a statistical fit."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class FitEvent:
    """One step of the fit of one node.

    Attributes:
        kind: start, progress (after each batch) or end.
        node: name of the node.
        done: measurements processed so far.
        total: measurements of the whole pass; 0 if unknown, as in a first pass without a given
            total.
    """

    kind: Literal["start", "progress", "end"]
    node: str
    done: int
    total: int
