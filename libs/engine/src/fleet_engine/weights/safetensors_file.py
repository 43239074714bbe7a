"""Safetensors files: tensors by ``<node>.<key>`` after a JSON header."""

import json

from safetensors import SafetensorError
from safetensors.torch import load

from fleet_engine.weights.layout import plain_tensor, wrong_layout
from fleet_engine.weights.loaded_weights import LoadedWeights
from fleet_engine.weights.state import State
from fleet_platform.errors import InvalidInput
from fleet_platform.shown_text import shown

FITTED = "fitted_nodes"
"""Metadata key of the JSON list of fitted nodes."""

_HEADER_SIZE_BYTES = 8


def is_safetensors(content: bytes) -> bool:
    """Return whether content is a safetensors file, which begins with the length of its header."""
    size = int.from_bytes(content[:_HEADER_SIZE_BYTES], "little")
    begins = content[_HEADER_SIZE_BYTES : _HEADER_SIZE_BYTES + 1] == b"{"
    return begins and size <= len(content) - _HEADER_SIZE_BYTES


def read_safetensors(content: bytes) -> LoadedWeights:
    """Read a safetensors file written by this service or any other program.

    Raises:
        InvalidInput: the file is damaged, or a name does not begin with ``<node>.``.
    """
    try:
        tensors = load(content)
        fitted = _fitted(content)
    except (SafetensorError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidInput("The weights are not a readable safetensors file.") from error
    state: State = {}
    for path, tensor in tensors.items():
        name, dot, key = path.partition(".")
        if not (name and dot and key):
            raise wrong_layout(f"a safetensors file with '{shown(path)}'")
        state.setdefault(name, {})[key] = plain_tensor(path, tensor)
    return LoadedWeights(state, fitted)


def _fitted(content: bytes) -> frozenset[str] | None:
    size = int.from_bytes(content[:_HEADER_SIZE_BYTES], "little")
    header = json.loads(content[_HEADER_SIZE_BYTES : _HEADER_SIZE_BYTES + size])
    named = header.get("__metadata__", {}).get(FITTED)
    return None if named is None else frozenset(map(str, json.loads(named)))
