"""Stored weights: safetensors files that list the fitted nodes in the header."""

import json

from safetensors.torch import save

from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.weights.safetensors_file import FITTED, is_safetensors, read_safetensors
from fleet_engine.weights.state import fitted_nodes, load_state, state_of
from fleet_platform.errors import InvalidInput


def to_safetensors(pipeline: Pipeline) -> bytes:
    """Serialise the state; equal states result in equal bytes."""
    tensors = {
        f"{name}.{key}": value.cpu().contiguous()
        for name, values in state_of(pipeline).items()
        for key, value in values.items()
    }
    return save(tensors, metadata={FITTED: json.dumps(fitted_nodes(pipeline))})


def from_safetensors(pipeline: Pipeline, content: bytes) -> None:
    """Load a state written by `to_safetensors`, including the fitted nodes.

    Raises:
        InvalidInput: the file was not written by `to_safetensors`.
        WeightsMismatch: it was written for another pipeline.
    """
    if not is_safetensors(content):
        raise InvalidInput("The weights are not a safetensors file of this service.")
    weights = read_safetensors(content)
    if weights.fitted is None:
        raise InvalidInput("The weights are not a safetensors file of this service.")
    load_state(pipeline, weights.state, strict=True, fitted=weights.fitted)
    for name, node in pipeline.nodes.items():
        node.fitted = name in weights.fitted
