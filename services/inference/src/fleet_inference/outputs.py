"""Converts the outputs of a pipeline to the tensors and metrics of a reply."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch

from fleet_inference.dtypes import TORCH_DTYPES, WIRE_DTYPES
from fleet_inference.wire import WireTensor
from fleet_platform.errors import InvalidInput


def to_reply(
    outputs: Mapping[str, object], requested: frozenset[str]
) -> tuple[dict[str, WireTensor], dict[str, float]]:
    """Split outputs into tensors and metrics; omit those that the wire cannot represent.

    Numbers become metrics; tensors, arrays and lists of numbers become tensors. Strings, mappings,
    artifacts and, unless requested by name, tensors of unsupported dtypes are omitted.

    Args:
        outputs: by ``node.port``.
        requested: the output_specs of the call.

    Returns:
        Tensors and metrics by ``node.port``; the tensors' bytes are views of their memory.

    Raises:
        InvalidInput: a requested tensor has a dtype that cannot be sent.
    """
    tensors: dict[str, WireTensor] = {}
    metrics: dict[str, float] = {}
    for key, value in outputs.items():
        if isinstance(value, int | float | np.integer | np.floating) and not isinstance(
            value, bool
        ):
            metrics[key] = float(value)
            continue
        tensor = _as_tensor(value)
        if tensor is None:
            continue
        if tensor.dtype in WIRE_DTYPES:
            tensors[key] = to_wire_tensor(tensor)
        elif requested:
            known = ", ".join(str(dtype).removeprefix("torch.") for dtype in TORCH_DTYPES.values())
            raise InvalidInput(
                f"output_specs: {key} has dtype {str(tensor.dtype).removeprefix('torch.')}, "
                f"which cannot be sent. Leave it out; supported: {known}."
            )
    return tensors, metrics


def to_wire_tensor(tensor: torch.Tensor) -> WireTensor:
    """View a tensor's memory; it is copied only if it is on a GPU or not contiguous."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return WireTensor(
        shape=tuple(tensor.shape),
        dtype=WIRE_DTYPES[tensor.dtype],
        data=flat.view(torch.uint8).numpy().data,
    )


def _as_tensor(value: object) -> torch.Tensor | None:
    """Return the value as a tensor, or None if it cannot be one."""
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return None
    try:
        return torch.as_tensor(value if isinstance(value, np.ndarray) else list(value))
    except (TypeError, ValueError, RuntimeError):
        return None
