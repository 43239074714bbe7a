"""Converts the tensors of a request to the batch that a pipeline reads."""

import math
import warnings

import torch

from fleet_inference.dtypes import TORCH_DTYPES
from fleet_inference.shared_memory import SharedMemory
from fleet_inference.wire import DecodedRequest, WireTensor
from fleet_platform.errors import InvalidInput
from fleet_platform.shown_text import shown

MAX_RANK = 16
_MAX_ELEMENTS = 2**63 - 1


def allow_read_only_views() -> None:
    """Trigger torch's once-per-process warning about read-only buffers, so that it is never shown.

    Nodes only read their inputs, so a view of a request's buffer is safe.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.frombuffer(b"\0", dtype=torch.uint8)


def to_batch(
    request: DecodedRequest, device: torch.device, shared: SharedMemory
) -> dict[str, object]:
    """Return the batch of a request; each extra input is an entry under its own key.

    Tensors keep their dtype and values; on the CPU they are views of the request if its bytes are
    suitably aligned.

    Raises:
        InvalidInput: a tensor cannot be decoded, or an extra input has the key of another field
            that is set; the text names the field.
        Exhausted: the tensors in shared memory are too large.
    """
    tensors = (*request.tensors.values(), *request.extra_tensors.values())
    shared.admit(tensor.region for tensor in tensors if tensor.region is not None)
    batch = dict(request.annotations)
    for name, tensor in request.tensors.items():
        batch[name] = to_tensor(f"inputs.{name}", tensor, device, shared)
    for key, tensor in request.extra_tensors.items():
        field = f"inputs.extra_inputs[{shown(key)!r}]"
        if key in batch:
            raise InvalidInput(f"{field}: inputs.{key} is also set; send only one of them.")
        batch[key] = to_tensor(field, tensor, device, shared)
    return batch


def to_tensor(
    field: str, tensor: WireTensor, device: torch.device, shared: SharedMemory
) -> torch.Tensor:
    """Decode one tensor onto `device`; an empty shape means one axis with all elements.

    Args:
        field: the tensor's field in the request, for error texts.
        tensor: the tensor as sent.
        device: the target device.
        shared: reads tensors from shared memory.

    Raises:
        InvalidInput: unknown dtype, invalid shape, wrong number of bytes, or invalid reference to
            shared memory.
    """
    dtype = TORCH_DTYPES.get(tensor.dtype)
    if dtype is None:
        known = ", ".join(f"{_name(known)} {number}" for number, known in TORCH_DTYPES.items())
        raise InvalidInput(f"{field}: Unsupported dtype: {tensor.dtype}. Supported: {known}.")
    shape = _checked_shape(field, tensor, dtype)
    data = tensor.data if tensor.region is None else shared.read(field, tensor.region)
    if not data:
        return torch.empty(shape, dtype=dtype, device=device)
    flat = torch.frombuffer(data, dtype=torch.uint8)
    if dtype == torch.bool:
        return flat.to(device).ne(0).reshape(shape)
    if device.type != "cpu":
        flat = flat.to(device)
    elif flat.data_ptr() % dtype.itemsize:
        flat = flat.clone()  # kernels require aligned elements
    return flat.view(dtype).reshape(shape)


def _checked_shape(field: str, tensor: WireTensor, dtype: torch.dtype) -> tuple[int, ...]:
    size_bytes = tensor.size_bytes
    source = "raw_data" if tensor.region is None else "shm_ref"
    shape = tensor.shape
    if not shape:
        if size_bytes % dtype.itemsize:
            raise InvalidInput(
                f"{field}: {source} has {size_bytes} bytes, which is not a multiple of the "
                f"{dtype.itemsize} bytes of one {_name(dtype)}."
            )
        return (size_bytes // dtype.itemsize,)
    if len(shape) > MAX_RANK:
        raise InvalidInput(f"{field}: shape has {len(shape)} axes; the limit is {MAX_RANK}.")
    if min(shape) < 0:
        raise InvalidInput(f"{field}: shape {list(shape)} has a negative length.")
    if math.prod(max(length, 1) for length in shape) > _MAX_ELEMENTS:
        raise InvalidInput(f"{field}: shape {list(shape)} has more elements than can be addressed.")
    needed_bytes = math.prod(shape) * dtype.itemsize
    if needed_bytes != size_bytes:
        raise InvalidInput(
            f"{field}: shape {list(shape)} of {_name(dtype)} takes {needed_bytes} bytes, "
            f"but {source} has {size_bytes}."
        )
    return shape


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
