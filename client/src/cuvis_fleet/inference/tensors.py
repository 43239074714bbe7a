"""Converts arrays to and from the wire. Shape letters: B batch, H height, W width, C bands."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cuvis_fleet.errors import WrongArgument
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

DTYPES: dict[int, np.dtype[Any]] = {
    pb.D_TYPE_FLOAT32: np.dtype("<f4"),
    pb.D_TYPE_FLOAT64: np.dtype("<f8"),
    pb.D_TYPE_INT32: np.dtype("<i4"),
    pb.D_TYPE_INT64: np.dtype("<i8"),
    pb.D_TYPE_UINT8: np.dtype("u1"),
    pb.D_TYPE_BOOL: np.dtype("?"),
    pb.D_TYPE_FLOAT16: np.dtype("<f2"),
    pb.D_TYPE_UINT16: np.dtype("<u2"),
}
"""The element types of the wire format, which is little-endian."""

LARGE_BYTES = 256 * 1024
"""Below this size, protobuf's copies take less time than bypassing protobuf in Python."""

_KNOWN = ", ".join(dtype.name for dtype in DTYPES.values())
_WIRE_DTYPES = {dtype: pb.DType.ValueType(number) for number, dtype in DTYPES.items()}
_INT32, _INT64 = np.dtype(np.int32), np.dtype(np.int64)
_WIDER = {np.dtype("i1"): "<i4", np.dtype("<i2"): "<i4", np.dtype("<u4"): "<i8"}


def as_array(name: str, value: Any) -> npt.NDArray[Any]:
    """Return a value as an array; a torch tensor is moved to the CPU first.

    Raises:
        WrongArgument: the value cannot be converted, such as rows of different lengths.
    """
    if type(value) is np.ndarray:
        return value
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        array: npt.NDArray[Any] = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise WrongArgument(
            f"{name} cannot be converted to an array ({error}); convert it to one of {_KNOWN}"
        ) from error
    return array


def wire_array(name: str, array: Any) -> npt.NDArray[Any]:
    """Return an array in C order, little-endian, with a type that the wire supports.

    Other types are widened without loss; an array that needs no conversion is not copied.

    Args:
        name: name of the array, for the error text.
        array: an array in any memory order and byte order.

    Raises:
        WrongArgument: no wire type can represent the values.
    """
    values: npt.NDArray[Any] = as_array(name, array)
    if values.dtype in _WIRE_DTYPES and values.flags.c_contiguous:
        return values
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    values = values.astype(_WIDER.get(values.dtype, values.dtype), copy=False)
    if values.dtype not in _WIRE_DTYPES:
        raise WrongArgument(f"{name} has the type {values.dtype}; convert it to one of {_KNOWN}")
    whole: npt.NDArray[Any] = np.asarray(values, order="C")
    return whole


def describe(tensor: pb.Tensor, array: npt.NDArray[Any]) -> None:
    """Set the shape and type, but not the elements, of a new tensor from a `wire_array`."""
    tensor.shape.extend(array.shape)
    tensor.dtype = _WIRE_DTYPES[array.dtype]


def to_tensor(name: str, array: Any) -> pb.Tensor:
    """Convert an array to a `Tensor` message; accepts what `wire_array` accepts."""
    values = wire_array(name, array)
    tensor = pb.Tensor()
    describe(tensor, values)
    tensor.raw_data = values.tobytes()
    return tensor


def cube_array(cube: Any) -> npt.NDArray[Any]:
    """Convert a cube [H,W,C] or cubes [B,H,W,C] to the wire's [B,H,W,C]."""
    return _batched("the cube", cube, "[H,W,C] or [B,H,W,C]", 4)


def rgb_array(image: Any) -> npt.NDArray[Any]:
    """Convert a colour image [H,W,3] or images [B,H,W,3] to the wire's [B,H,W,3]."""
    return _batched("rgb_image", image, "[H,W,3] or [B,H,W,3]", 4)


def mask_array(mask: Any) -> npt.NDArray[Any]:
    """Convert a class mask [H,W] or masks [B,H,W] to the wire's [B,H,W] in int32."""
    return _whole("the mask", _batched("the mask", mask, "[H,W] or [B,H,W]", 3), _INT32)


def wavelengths_array(wavelengths_nm: Any) -> npt.NDArray[Any]:
    """Convert wavelengths [C] or [B,C] to the wire's [B,C], whole nanometres in int32."""
    values = as_array("wavelengths_nm", wavelengths_nm)
    if values.ndim not in {1, 2}:
        raise WrongArgument(
            f"the wavelengths have the shape {values.shape}; [C] or [B,C] is needed"
        )
    if values.dtype.kind == "f" and np.isfinite(values).all():
        values = np.rint(values)
    elif values.dtype.kind not in "iu":
        raise WrongArgument("the wavelengths are not all finite numbers of nanometres")
    return _whole("wavelengths_nm", values if values.ndim == 2 else values[None], _INT32)


def index_array(name: str, numbers: Any) -> npt.NDArray[Any]:
    """Convert a number, or one for each image of the batch, to the wire's [B] in int64."""
    values = np.atleast_1d(as_array(name, numbers))
    if values.ndim != 1:
        raise WrongArgument(f"{name} has the shape {values.shape}; one number or [B] is needed")
    return _whole(name, values, _INT64)


def _batched(name: str, value: Any, needed: str, rank: int) -> npt.NDArray[Any]:
    values = as_array(name, value)
    if values.ndim not in {rank - 1, rank}:
        raise WrongArgument(f"{name} has the shape {values.shape}; {needed} is needed")
    return wire_array(name, values if values.ndim == rank else values[None])


def _whole(name: str, values: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Convert integers of any numeric type to `dtype`."""
    if values.dtype == dtype:
        return values
    if values.dtype.kind in "biu" and np.can_cast(values.dtype, dtype):
        return values.astype(dtype, copy=False)
    bounds = np.iinfo(dtype)
    if (
        values.dtype.kind not in "biuf"
        or not ((values >= bounds.min) & (values <= bounds.max) & (np.rint(values) == values)).all()
    ):
        raise WrongArgument(f"{name} has values that are not {bounds.bits}-bit integers")
    return values.astype(dtype)
