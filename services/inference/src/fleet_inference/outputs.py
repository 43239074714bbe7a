"""What a pipeline returns to tensors and numbers of a reply."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch

from fleet_inference.dtypes import TORCH_DTYPES, WIRE_DTYPES
from fleet_inference.wire import WireTensor
from fleet_platform.errors import InvalidInput


def to_reply(
    outputs: Mapping[str, object], requested: frozenset[str]
) -> tuple[dict[str, WireTensor], dict[str, float]]:
    """Sort outputs into tensors and metrics, as far as the wire can carry them.

    Numbers become metrics; tensors, arrays and lists of numbers become tensors. Texts, mappings,
    artifacts and, unless they were asked for by name, tensors of other dtypes are left out.

    Args:
        outputs: by ``node.port``.
        requested: the output_specs of the call.

    Returns:
        Tensors and metrics by ``node.port``; the tensors' bytes are views of their memory.

    Raises:
        InvalidInput: a tensor that was asked for has a dtype that the wire does not know.
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
                f"which cannot be sent. Leave it out; sent can be: {known}."
            )
    return tensors, metrics


def to_wire_tensor(tensor: torch.Tensor) -> WireTensor:
    """View a tensor's memory for the wire; it is copied only from a device or when strided."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return WireTensor(
        shape=tuple(tensor.shape),
        dtype=WIRE_DTYPES[tensor.dtype],
        data=flat.view(torch.uint8).numpy().data,
    )


def _as_tensor(value: object) -> torch.Tensor | None:
    """The value as a tensor, or None when it is nothing of that kind."""
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return None
    try:
        return torch.as_tensor(value if isinstance(value, np.ndarray) else list(value))
    except (TypeError, ValueError, RuntimeError):
        return None
