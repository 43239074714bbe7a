"""State of a pipeline: in and out of memory, artifacts and published files."""

from fleet_engine.weights.artifact import from_safetensors, to_safetensors
from fleet_engine.weights.published import read_published, write_published
from fleet_engine.weights.state import State, WeightsMismatch, fitted_nodes, load_state, state_of

__all__ = [
    "State",
    "WeightsMismatch",
    "fitted_nodes",
    "from_safetensors",
    "load_state",
    "read_published",
    "state_of",
    "to_safetensors",
    "write_published",
]
