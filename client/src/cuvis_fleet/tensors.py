"""Arrays to and from the wire. Shape letters: B batch, H height, W width, C bands."""

from typing import Any

import numpy as np
import numpy.typing as npt

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


def to_tensor(name: str, array: npt.ArrayLike) -> pb.Tensor:
    """Make the wire's tensor of an array; types that the wire lacks are widened without loss.

    Args:
        name: what it is, for the error text.
        array: of any order and byte order.

    Raises:
        ValueError: no type of the wire can hold the values.
    """
    values = np.asarray(array)
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    values = values.astype(_WIDER.get(values.dtype, values.dtype), copy=False)
    if values.dtype not in _WIRE_DTYPES:
        known = ", ".join(dtype.name for dtype in DTYPES.values())
        raise ValueError(f"{name} is of type {values.dtype}; convert it to one of {known}")
    return pb.Tensor(
        shape=values.shape,
        dtype=pb.DType.ValueType(_WIRE_DTYPES[values.dtype]),
        raw_data=values.tobytes(),
    )


def cube_tensor(cube: npt.ArrayLike) -> pb.Tensor:
    """A cube [H,W,C] or cubes [B,H,W,C] as the wire's [B,H,W,C]."""
    values = np.asarray(cube)
    if values.ndim not in {3, 4}:
        raise ValueError(f"the cube has the shape {values.shape}; [H,W,C] or [B,H,W,C] is needed")
    return to_tensor("the cube", values if values.ndim == 4 else values[None])


def wavelengths_tensor(wavelengths_nm: npt.ArrayLike) -> pb.Tensor:
    """Wavelengths [C] or [B,C] as the wire's [B,C], whole nanometres in int32."""
    values = np.asarray(wavelengths_nm)
    if values.ndim not in {1, 2}:
        raise ValueError(f"the wavelengths have the shape {values.shape}; [C] or [B,C] is needed")
    return to_tensor("wavelengths", np.rint(np.atleast_2d(values)).astype(np.int32))


def mask_tensor(mask: npt.ArrayLike) -> pb.Tensor:
    """A mask of classes [H,W] or masks [B,H,W] as the wire's [B,H,W] in int32."""
    values = np.asarray(mask)
    if values.ndim not in {2, 3}:
        raise ValueError(f"the mask has the shape {values.shape}; [H,W] or [B,H,W] is needed")
    return to_tensor("the mask", (values if values.ndim == 3 else values[None]).astype(np.int32))
