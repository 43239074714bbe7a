"""What a weights file gives."""

from dataclasses import dataclass

from fleet_engine.weights.state import State


@dataclass(frozen=True, slots=True)
class LoadedWeights:
    """Values of a pipeline, not yet compared with it.

    Attributes:
        state: values by node and key.
        fitted: the nodes whose statistics were fitted when the file was written; None: it does not
            say.
    """

    state: State
    fitted: frozenset[str] | None = None
