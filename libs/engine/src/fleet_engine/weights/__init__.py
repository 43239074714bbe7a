"""Reads and writes the state of a pipeline as artifacts and published files."""

from fleet_engine.weights.artifact import from_safetensors, to_safetensors
from fleet_engine.weights.loaded_weights import LoadedWeights
from fleet_engine.weights.published import write_published
from fleet_engine.weights.reading import WEIGHT_SUFFIXES, load_weights, read_weights
from fleet_engine.weights.state import State, WeightsMismatch, fitted_nodes, load_state, state_of
from fleet_engine.weights.stored import build_stored, open_stored
from fleet_engine.weights.weights_file import WeightsFile, read_weights_file

__all__ = [
    "WEIGHT_SUFFIXES",
    "LoadedWeights",
    "State",
    "WeightsFile",
    "WeightsMismatch",
    "build_stored",
    "fitted_nodes",
    "from_safetensors",
    "load_state",
    "load_weights",
    "open_stored",
    "read_weights",
    "read_weights_file",
    "state_of",
    "to_safetensors",
    "write_published",
]
