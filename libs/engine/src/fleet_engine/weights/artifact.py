"""Weights as the fleet stores them: safetensors, with the fitted nodes in the header."""

import json

from safetensors import SafetensorError
from safetensors.torch import load, save

from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.weights.state import State, fitted_nodes, load_state, state_of
from fleet_platform.errors import InvalidInput

_FITTED = "fitted_nodes"
_HEADER_SIZE_BYTES = 8


def to_safetensors(pipeline: Pipeline) -> bytes:
    """Write the state; equal states give equal bytes."""
    tensors = {
        f"{name}.{key}": value.cpu().contiguous()
        for name, values in state_of(pipeline).items()
        for key, value in values.items()
    }
    return save(tensors, metadata={_FITTED: json.dumps(fitted_nodes(pipeline))})


def from_safetensors(pipeline: Pipeline, content: bytes) -> None:
    """Take over a state that `to_safetensors` wrote, fitted nodes included.

    Raises:
        InvalidInput: not such a file.
        WeightsMismatch: it was written for another pipeline.
    """
    try:
        tensors = load(content)
        fitted = set(json.loads(_metadata(content)[_FITTED]))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput("The weights are not a safetensors file of this service.") from error
    state: State = {name: {} for name in pipeline.nodes}
    for path, tensor in tensors.items():
        name, _, key = path.partition(".")
        state.setdefault(name, {})[key] = tensor
    load_state(pipeline, state, strict=True)
    for name, node in pipeline.nodes.items():
        node.fitted = name in fitted


def _metadata(content: bytes) -> dict[str, str]:
    """The free-form part of a safetensors header: 8 bytes of length, then JSON."""
    size = int.from_bytes(content[:_HEADER_SIZE_BYTES], "little")
    header = json.loads(content[_HEADER_SIZE_BYTES : _HEADER_SIZE_BYTES + size])
    metadata: dict[str, str] = header["__metadata__"]
    return metadata
