"""The published weights file: ``{"state_dict": {node: {key: tensor}}, "metadata": {...}}``.

It is a pickle by format, and is read with `weights_only=True`: tensors and plain values, no code.
"""

import io
import pickle
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.weights.state import State, state_of
from fleet_platform.errors import InvalidInput


def read_published(content: bytes) -> State:
    """Read a published weights file.

    Raises:
        InvalidInput: not a torch file, a file that would run code, or another layout.
    """
    try:
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InvalidInput(
            "The weights file holds more than tensors and plain values, or is damaged; it is not "
            "read, because that could run code. Needed: a file saved by SavePipeline."
        ) from error
    except Exception as error:  # the reader trips over damaged bytes in every way there is
        raise InvalidInput("The weights file is damaged or is not a torch file.") from error
    if not isinstance(loaded, dict) or "state_dict" not in loaded:
        raise _wrong_layout(_outline(loaded))
    state = loaded["state_dict"]
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(values, Mapping) for name, values in state.items()
    ):
        raise _wrong_layout(f"a state_dict that is {_outline(state)}")
    for name, values in state.items():
        for key, value in values.items():
            if not isinstance(value, Tensor):
                raise _wrong_layout(f"{name}.{key} that is a {type(value).__name__}")
    return {name: dict(values) for name, values in state.items()}


def write_published(pipeline: Pipeline, metadata: Mapping[str, Any]) -> bytes:
    """Write all nodes' state and a description in the published layout."""
    state = {
        name: {key: value.cpu().clone() for key, value in values.items()}
        for name, values in state_of(pipeline).items()
    }
    buffer = io.BytesIO()
    torch.save({"state_dict": state, "metadata": dict(metadata)}, buffer)
    return buffer.getvalue()


def _wrong_layout(found: str) -> InvalidInput:
    return InvalidInput(
        "The weights file has another layout. Needed: "
        f"{{'state_dict': {{node: {{key: tensor}}}}}}; found: {found}."
    )


def _outline(value: object) -> str:
    """A few words on a loaded value, enough to recognise what kind of file it came from."""
    if not isinstance(value, Mapping):
        return f"a {type(value).__name__}"
    if value and all(isinstance(entry, Tensor) for entry in value.values()):
        return f"a flat mapping of tensors ({_some(value)}), as Lightning or plain torch saves it"
    return f"a mapping with {_some(value) or 'no keys'}"


def _some(mapping: Mapping[Any, Any]) -> str:
    keys = [str(key) for key in mapping]
    return ", ".join(keys[:4]) + (", ..." if len(keys) > 4 else "")
