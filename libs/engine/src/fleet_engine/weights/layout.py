"""Accepted layouts of weights files, and errors for other files."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fleet_platform.errors import InvalidInput
from fleet_platform.shown_text import shown


def wrong_layout(found: str) -> InvalidInput:
    """Return the error for a readable file with an unknown layout; `found` describes it."""
    return InvalidInput(
        "The weights file has an unknown layout. Expected: a .pt file with "
        "{'state_dict': {node: {key: tensor}}}, a Lightning .ckpt with a state_dict of "
        "'pipeline_modules.<number>.<key>' or 'nodes.<node>.<key>', or a .safetensors file with "
        f"'<node>.<key>'; found: {found}."
    )


def outline(value: object) -> str:
    """Return a short description of a loaded value, to recognise the kind of file."""
    if not isinstance(value, Mapping):
        return f"a {type(value).__name__}"
    if value and all(isinstance(entry, Tensor) for entry in value.values()):
        return f"a flat mapping of tensors ({_some(value)})"
    return f"a mapping with {_some(value) or 'no keys'}"


def plain_tensor(name: str, value: object) -> Tensor:
    """Return `value` if it is a tensor whose values can be copied to a node.

    Raises:
        InvalidInput: it is not a tensor, not dense (sparse, quantised, complex or meta), or large
            only by repeating a few values.
    """
    if not isinstance(value, Tensor):
        raise wrong_layout(f"{shown(name)} that is a {type(value).__name__}")
    if (
        value.layout != torch.strided
        or value.is_nested
        or value.is_quantized
        or value.is_complex()
        or value.device.type != "cpu"
    ):
        raise wrong_layout(f"{shown(name)} that is not a dense tensor of real numbers")
    held_bytes = value.untyped_storage().nbytes()
    if held_bytes < value.numel() * value.itemsize:
        raise wrong_layout(f"{shown(name)} of {value.numel()} values in {held_bytes} bytes")
    return value.detach()


def _some(mapping: Mapping[Any, Any]) -> str:
    keys = [shown(str(key)) for key in mapping]
    return ", ".join(keys[:4]) + (", ..." if len(keys) > 4 else "")
