"""Reads an array in a `.npz` archive item by item."""

import struct
import zipfile
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

_PIECE_BYTES = 1 << 20
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED = 1


class ArchivedArray:
    """An array of `count` consecutive items of `item_shape` in an archive.

    Uncompressed items are read directly from the file. To read a compressed item, all previous
    items must be decompressed; the stream therefore stays open, so that items in ascending order
    are decompressed only once. Not thread-safe.

    Attributes:
        count: number of items.
        item_shape: shape of an item.
    """

    def __init__(self, path: Path, name: str, *, item_ndim: int) -> None:
        """Read the header of the array; an array of `item_ndim` axes is a single item.

        Args:
            path: path of the archive.
            name: name of the array.
            item_ndim: number of axes of an item.

        Raises:
            ValueError: it is not an array of numbers with that many axes; KeyError: it does not
                exist; BadZipFile, OSError, EOFError: the archive is damaged.
        """
        self._path = path
        self._member = f"{name}.npy"
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo(self._member)
            with archive.open(entry) as stream:
                shape, self._fortran_order, self._dtype = _read_header(stream)
                self._data_offset = stream.tell()  # wording: ok
        if len(shape) == item_ndim:
            shape = (1, *shape)
        if len(shape) != item_ndim + 1 or min(shape) < 1:
            raise ValueError(f"{name} has the shape {shape}")
        if self._dtype.hasobject:
            raise ValueError(f"{name} contains Python objects")
        self.count, *item = shape
        self.item_shape = tuple(item)
        self._size_bytes = entry.file_size
        self._stored_at = _stored_at(path, entry)
        self._stream: IO[bytes] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of items and the axes of each."""
        return (self.count, *self.item_shape)

    def read(self, index: int) -> npt.NDArray[Any]:
        """Read item `index` into new memory.

        Raises:
            EOFError, OSError, BadZipFile, zlib.error: the archive is truncated or damaged.
        """
        length_bytes = prod(self.item_shape) * self._dtype.itemsize
        if self._fortran_order:  # the items are not contiguous
            whole = self._content(0, self.count * length_bytes).view(self._dtype)
            return np.ascontiguousarray(whole.reshape(self.shape, order="F")[index])
        content = self._content(index * length_bytes, length_bytes)
        return content.view(self._dtype).reshape(self.item_shape)

    def _content(self, start: int, count: int) -> npt.NDArray[np.uint8]:
        offset = self._data_offset + start
        if offset + count > self._size_bytes:
            raise EOFError
        content = np.empty(count, np.uint8)
        if self._stored_at is not None:
            with self._path.open("rb", buffering=0) as file:
                file.seek(self._stored_at + offset)
                _fill(content, file)
            return content
        stream, self._stream = self._stream, None
        if stream is None or stream.tell() > offset:  # wording: ok
            stream = zipfile.ZipFile(self._path).open(self._member)  # noqa: SIM115 (stays open)
        stream.seek(offset)
        _fill(content, stream)
        self._stream = stream
        return content


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"version {version}")
    return read(stream)


def _stored_at(path: Path, entry: zipfile.ZipInfo) -> int | None:
    """Return the offset of the member in the file, or None if it is compressed."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & _ENCRYPTED:
        return None
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        header = file.read(_LOCAL_HEADER.size)
    _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    return entry.header_offset + _LOCAL_HEADER.size + int(name_length) + int(extra_length)


def _fill(content: npt.NDArray[np.uint8], stream: Any) -> None:
    """Read bytes in chunks, so that they are not in memory twice."""
    for start in range(0, content.size, _PIECE_BYTES):
        piece = content[start : start + _PIECE_BYTES]
        if stream.readinto(piece.data) < piece.size:
            raise EOFError
