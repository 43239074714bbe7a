"""Arrays to and from the wire. Shape letters: B batch, H height, W width, C bands."""

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
"""The element types of the wire; its bytes are little-endian."""

_WIRE_DTYPES = {dtype: number for number, dtype in DTYPES.items()}
_WIDER = {np.dtype("i1"): "<i4", np.dtype("<i2"): "<i4", np.dtype("<u4"): "<i8"}


def as_array(value: Any) -> npt.NDArray[Any]:
    """The array of what is one or can be made one; a tensor of torch is taken off its device."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    array: npt.NDArray[Any] = np.asarray(value)
    return array


def wire_array(name: str, array: Any) -> npt.NDArray[Any]:
    """An array as the wire has it: C order, little-endian, of one of its types.

    Types that the wire lacks are widened without loss; what fits already is not copied.

    Args:
        name: what it is, for the error text.
        array: of any order and byte order.

    Raises:
        WrongArgument: no type of the wire can hold the values.
    """
    values: npt.NDArray[Any] = as_array(array)
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    values = values.astype(_WIDER.get(values.dtype, values.dtype), copy=False)
    if values.dtype not in _WIRE_DTYPES:
        known = ", ".join(dtype.name for dtype in DTYPES.values())
        raise WrongArgument(f"{name} is of type {values.dtype}; convert it to one of {known}")
    whole: npt.NDArray[Any] = np.asarray(values, order="C")
    return whole


def tensor_head(array: npt.NDArray[Any]) -> pb.Tensor:
    """Shape and type of an array as `wire_array` returns it, without its elements."""
    dtype = pb.DType.ValueType(_WIRE_DTYPES[array.dtype])
    return pb.Tensor(shape=array.shape, dtype=dtype)


def to_tensor(name: str, array: Any) -> pb.Tensor:
    """The wire's tensor of an array, with its elements; `wire_array` says what is taken."""
    values = wire_array(name, array)
    tensor = tensor_head(values)
    tensor.raw_data = values.tobytes()
    return tensor


def cube_array(cube: Any) -> npt.NDArray[Any]:
    """A cube [H,W,C] or cubes [B,H,W,C] as the wire's [B,H,W,C]."""
    return _batched("the cube", as_array(cube), "[H,W,C] or [B,H,W,C]", 4)


def rgb_array(image: Any) -> npt.NDArray[Any]:
    """A colour image [H,W,3] or images [B,H,W,3] as the wire's [B,H,W,3]."""
    return _batched("rgb_image", as_array(image), "[H,W,3] or [B,H,W,3]", 4)


def mask_array(mask: Any) -> npt.NDArray[Any]:
    """A mask of classes [H,W] or masks [B,H,W] as the wire's [B,H,W] in int32."""
    return _batched("the mask", as_array(mask), "[H,W] or [B,H,W]", 3).astype(np.int32, copy=False)


def wavelengths_array(wavelengths_nm: Any) -> npt.NDArray[Any]:
    """Wavelengths [C] or [B,C] as the wire's [B,C], whole nanometres in int32."""
    values = as_array(wavelengths_nm)
    if values.ndim not in {1, 2}:
        raise WrongArgument(
            f"the wavelengths have the shape {values.shape}; [C] or [B,C] is needed"
        )
    whole: npt.NDArray[Any] = np.rint(np.atleast_2d(values)).astype(np.int32)
    return whole


def index_array(name: str, numbers: Any) -> npt.NDArray[Any]:
    """A number or one for each image of the batch as the wire's [B] in int64."""
    values = np.atleast_1d(as_array(numbers))
    if values.ndim != 1:
        raise WrongArgument(f"{name} has the shape {values.shape}; one number or [B] is needed")
    return values.astype(np.int64)


def _batched(name: str, values: npt.NDArray[Any], needed: str, rank: int) -> npt.NDArray[Any]:
    if values.ndim not in {rank - 1, rank}:
        raise WrongArgument(f"{name} has the shape {values.shape}; {needed} is needed")
    return wire_array(name, values if values.ndim == rank else values[None])
