"""Format in which both sides of a comparison record a node; imports neither side."""

from dataclasses import is_dataclass

import numpy as np
import torch


def trainable(node):
    """Return the names of the trainable parameters."""
    return sorted(name for name, value in node.named_parameters() if value.requires_grad)


def inputs_of(arrays, prefix, plain=()):
    """Return values by port below a prefix: tensors, or arrays for `plain` ports."""
    ports = {
        key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)
    }
    return {
        port: value.copy() if port in plain else torch.tensor(value)
        for port, value in ports.items()
    }


def state_of(node):
    """Return copies of all values of the node in a weights file."""
    return {key: value.detach().numpy().copy() for key, value in node.state_dict().items()}


def flatten(name, value):
    """Return the arrays of an output by name: tensors, numbers, metrics, mapping values."""
    if isinstance(value, torch.Tensor):
        return {name: value.detach().numpy()}
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, (list, tuple)) and any(map(is_dataclass, value)):
        return {f"{name}/{each.name}": number_of(each) for each in value}
    elif isinstance(value, (list, tuple)):
        parts = enumerate(value)
    else:
        return {name: np.asarray(value)}
    return {
        key: made for part, each in parts for key, made in flatten(f"{name}/{part}", each).items()
    }


def number_of(item):
    """Return the value of a metric; a constant for figures, since libraries draw differently."""
    return np.asarray(item.value if np.ndim(item.value) == 0 else np.nan)
