"""Reads tensors that a client on the same host has placed in POSIX shared memory."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fleet_inference.wire import SharedRegion
from fleet_platform.errors import Exhausted, InvalidInput
from fleet_platform.shown_text import shown

SEGMENTS = Path("/dev/shm")  # noqa: S108  (nothing is written there)
_MAX_NAME_BYTES = 255
_READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class SharedMemory:
    """Copies regions of shared memory into the memory of this process.

    ``preadv`` copies the bytes once. A mapping would avoid the copy, but the owner of a segment may
    shrink it at any time, and accessing a page that no longer exists kills the process, whereas a
    read merely returns fewer bytes.
    """

    def __init__(self, *, enabled: bool, limit_bytes: int, folder: Path = SEGMENTS) -> None:
        """Create a reader.

        Args:
            enabled: whether shared memory may be read at all.
            limit_bytes: limit for all regions of one request together.
            folder: the folder of the segments.
        """
        self._enabled = enabled
        self._limit_bytes = limit_bytes
        self._folder = folder

    def admit(self, regions: Iterable[SharedRegion]) -> None:
        """Check the total size of a request's regions before any of them is read.

        Raises:
            Exhausted: the regions together are too large.
        """
        total_bytes = sum(region.byte_size for region in regions)
        if total_bytes > self._limit_bytes:
            raise Exhausted(
                f"The tensors in shared memory total {total_bytes} bytes; the "
                f"limit for one request is {self._limit_bytes}."
            )

    def read(self, field: str, region: SharedRegion) -> memoryview:
        """Copy a region.

        Args:
            field: the tensor's field in the request, for error texts.
            region: the segment and the range of bytes.

        Raises:
            InvalidInput: invalid name, no such segment, or a segment that ends before the region
                does; the text does not reveal which other files exist.
        """
        if not self._enabled:
            raise InvalidInput(
                f"{field}: this server does not read shm_ref; send the bytes in raw_data."
            )
        name = region.name.removeprefix("/")
        if not _is_name(name):
            raise InvalidInput(
                f"{field}: shm_ref.name {shown(region.name)!r} is not the name of a segment: it "
                "must be a name without a folder, as for shm_open."
            )
        try:
            descriptor = os.open(self._folder / name, _READ_ONLY)
        except OSError:
            raise _no_segment(field, region) from None
        try:
            return _read(descriptor, field, region)
        finally:
            os.close(descriptor)


def _is_name(name: str) -> bool:
    return (
        name not in {"", ".", ".."}
        and "/" not in name
        and name.isprintable()
        and len(name.encode()) <= _MAX_NAME_BYTES
    )


def _read(descriptor: int, field: str, region: SharedRegion) -> memoryview:
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        raise _no_segment(field, region)
    if region.byte_offset + region.byte_size > state.st_size:
        raise _too_short(field, region, state.st_size)
    content = np.empty(region.byte_size, np.uint8).data
    done = 0
    while done < region.byte_size:
        count = os.preadv(descriptor, [content[done:]], region.byte_offset + done)
        if count == 0:
            raise _too_short(field, region, region.byte_offset + done)
        done += count
    return content


def _no_segment(field: str, region: SharedRegion) -> InvalidInput:
    return InvalidInput(
        f"{field}: there is no shared-memory segment {shown(region.name)!r} that this server can "
        "read. It must be on the server's host and exist until the reply arrives."
    )


def _too_short(field: str, region: SharedRegion, size_bytes: int) -> InvalidInput:
    return InvalidInput(
        f"{field}: shm_ref needs {region.byte_size} bytes from byte {region.byte_offset}, but "
        f"the segment has {size_bytes} bytes."
    )
