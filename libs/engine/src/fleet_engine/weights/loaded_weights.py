"""Content of a weights file."""

from dataclasses import dataclass

from fleet_engine.weights.state import State


@dataclass(frozen=True, slots=True)
class LoadedWeights:
    """Values for a pipeline that have not been checked against it yet.

    Attributes:
        state: values by node and key.
        fitted: nodes whose statistics were fitted when the file was written; None: unknown.
    """

    state: State
    fitted: frozenset[str] | None = None
