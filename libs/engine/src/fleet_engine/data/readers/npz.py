"""Named NumPy arrays in an archive."""

import zipfile
import zlib
from dataclasses import dataclass
from math import prod
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from fleet_engine.data.data_file import DataFile
from fleet_engine.data.measurement import Measurement

_DAMAGED = (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, NotImplementedError)

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class _Member:
    """Where an array of `count` items of `item_shape` lies in the archive, and how."""

    name: str
    data_offset: int
    dtype: np.dtype[Any]
    count: int
    item_shape: tuple[int, ...]
    fortran_order: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.count, *self.item_shape)


class NpzReader:
    """`cube` [N,H,W,C] or [H,W,C], `wavelengths` [C] in nm, `mask` [N,H,W] or [H,W].

    Only the wanted measurement is taken from the archive, where they lie one after another.
    """

    def __init__(self, file: DataFile) -> None:
        self._file = file
        try:
            with zipfile.ZipFile(file.path) as archive:
                names = {name.removesuffix(".npy") for name in archive.namelist()}
                if "cube" not in names:
                    raise file.unreadable(
                        f"it has no array 'cube', only {', '.join(sorted(names)) or 'nothing'}."
                    )
                self._cube = _find(archive, "cube", item_ndim=3)
                self._mask = _find(archive, "mask", item_ndim=2) if "mask" in names else None
                self._wavelengths_nm = (
                    _take(archive, _find(archive, "wavelengths", item_ndim=1), 0)
                    if "wavelengths" in names
                    else None
                )
        except _DAMAGED as error:
            raise file.unreadable(
                "it is not a whole .npz file of plain numbers with 'cube' [N,H,W,C] or [H,W,C] "
                "and, if any, 'wavelengths' [C] and 'mask' of the cube's first axes."
            ) from error
        if self._mask is not None and self._mask.shape != self._cube.shape[:3]:
            raise file.unreadable(
                f"its mask is for {self._mask.count} of {self._mask.item_shape} pixels, its cube "
                f"has {self._cube.count} of {self._cube.item_shape[:2]}."
            )

    def __len__(self) -> int:
        return self._cube.count

    def read(self, index: int) -> Measurement:
        """Take measurement `index` from the archive."""
        try:
            with zipfile.ZipFile(self._file.path) as archive:
                cube_HWC = _take(archive, self._cube, index)
                mask_HW = _take(archive, self._mask, index) if self._mask else None
        except _DAMAGED as error:
            raise self._file.unreadable(f"measurement {index} is cut off or damaged.") from error
        return Measurement.from_arrays(self._file, cube_HWC, self._wavelengths_nm, mask_HW)


def _find(archive: zipfile.ZipFile, name: str, *, item_ndim: int) -> _Member:
    with archive.open(f"{name}.npy") as stream:
        shape, fortran_order, dtype = _read_header(stream)
        offset = stream.tell()
    if len(shape) == item_ndim:
        shape = (1, *shape)
    if len(shape) != item_ndim + 1 or min(shape) < 1:
        raise ValueError(f"{name} has the shape {shape}")
    if dtype.hasobject:
        raise ValueError(f"{name} is of Python objects")
    return _Member(f"{name}.npy", offset, dtype, shape[0], shape[1:], fortran_order)


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"version {version}")
    return read(stream)


def _take(archive: zipfile.ZipFile, member: _Member, index: int) -> npt.NDArray[Any]:
    length_bytes = prod(member.item_shape) * member.dtype.itemsize
    with archive.open(member.name) as stream:
        if member.fortran_order:  # the items are not one after another
            stream.seek(member.data_offset)
            content = stream.read(member.count * length_bytes)
            whole = np.frombuffer(content, member.dtype).reshape(member.shape, order="F")
            return np.ascontiguousarray(whole[index])
        stream.seek(member.data_offset + index * length_bytes)
        item = np.empty(member.item_shape, member.dtype)
        _fill(item.reshape(-1).view(np.uint8), stream)
        return item


def _fill(octets: npt.NDArray[np.uint8], stream: IO[bytes]) -> None:
    """Read as many octets, in pieces, so that none of them is in memory twice for long."""
    for start in range(0, octets.size, _PIECE_BYTES):
        piece = octets[start : start + _PIECE_BYTES]
        if stream.readinto(piece.data) < piece.size:  # type: ignore[attr-defined]
            raise EOFError
