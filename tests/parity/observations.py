"""How both sides of a comparison write down what they see of a node; imports neither side."""

from dataclasses import is_dataclass

import numpy as np
import torch


def trainable(node):
    """Names of the parameters that gradients reach."""
    return sorted(name for name, value in node.named_parameters() if value.requires_grad)


def inputs_of(arrays, prefix, plain=()):
    """Values by port below a prefix: tensors, but arrays for the ports that are `plain`."""
    ports = {
        key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)
    }
    return {
        port: value.copy() if port in plain else torch.tensor(value)
        for port, value in ports.items()
    }


def state_of(node):
    """Copies of all values that a weights file holds of the node."""
    return {key: value.detach().numpy().copy() for key, value in node.state_dict().items()}


def flatten(name, value):
    """Arrays of an output by name: tensors, numbers, metrics by their name, what mappings hold."""
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
    """A metric's value; of a figure only that it is one, because no two libraries draw alike."""
    return np.asarray(item.value if np.ndim(item.value) == 0 else np.nan)
