"""Tensors that a client on the same host left in POSIX shared memory."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fleet_inference.wire import SharedRegion
from fleet_platform.errors import Exhausted, InvalidInput
from fleet_platform.shown_text import shown

SEGMENTS = Path("/dev/shm")  # noqa: S108  (where Linux shows them; nothing is written there)
_MAX_NAME_BYTES = 255
_READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class SharedMemory:
    """Reads regions of shared memory into memory of this process.

    The bytes are copied, once, by ``preadv``. A mapping would save that copy, but whoever owns a
    segment may shrink it at any time, and touching a page that is gone kills the process; a read
    only comes out short.
    """

    def __init__(self, *, enabled: bool, limit_bytes: int, folder: Path = SEGMENTS) -> None:
        """Say what may be read.

        Args:
            enabled: whether anything may.
            limit_bytes: bound on what one request brings this way.
            folder: where the segments are.
        """
        self._enabled = enabled
        self._limit_bytes = limit_bytes
        self._folder = folder

    def admit(self, regions: Iterable[SharedRegion]) -> None:
        """Refuse a request whose regions together are too large, before any of them is read.

        Raises:
            Exhausted: they are.
        """
        total_bytes = sum(region.byte_size for region in regions)
        if total_bytes > self._limit_bytes:
            raise Exhausted(
                f"The tensors in shared memory have {total_bytes} bytes; at most "
                f"{self._limit_bytes} are read for one request."
            )

    def read(self, field: str, region: SharedRegion) -> memoryview:
        """Copy a region.

        Args:
            field: its place in the request, for the error text.
            region: which bytes of which segment.

        Raises:
            InvalidInput: a name that is none, no such segment, or one that ends before the region
                does; what exists beside the segments is never told.
        """
        if not self._enabled:
            raise InvalidInput(
                f"{field}: this server does not read shm_ref; send the bytes in raw_data."
            )
        name = region.name.removeprefix("/")
        if not _is_name(name):
            raise InvalidInput(
                f"{field}: shm_ref.name {shown(region.name)!r} is no name of a segment; needed: "
                "one name without folder, as shm_open takes it."
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
        "read. It must be on the server's host and stay until the reply is there."
    )


def _too_short(field: str, region: SharedRegion, size_bytes: int) -> InvalidInput:
    return InvalidInput(
        f"{field}: shm_ref takes {region.byte_size} bytes from byte {region.byte_offset} on, but "
        f"the segment has {size_bytes} bytes."
    )
