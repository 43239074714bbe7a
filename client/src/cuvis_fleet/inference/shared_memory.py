"""Passes large arrays to a server on the same host through shared memory."""

import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cuvis_fleet.errors import CuvisFleetError, InvalidInput, ServerDefect
from cuvis_fleet.inference.request import InferenceRequest, SharedArrays
from cuvis_fleet.transport.local_address import is_local
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

MIN_ARRAY_BYTES = 1024**2
"""Sending a smaller array is as fast as writing it to a segment."""

_SEGMENTS = Path("/dev/shm")  # noqa: S108  (the shared-memory file system of Linux)

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class SharedMemory:
    """Shared-memory segments for arrays that a server on this host can read.

    The first request shows whether the server can: a request that it rejects is sent again without
    shared memory, which is then disabled (a server in a container has separate segments).
    """

    def __init__(self, address: str, folder: Path = _SEGMENTS) -> None:
        """Check whether shared memory may work with this server.

        Args:
            address: address of the server.
            folder: folder of the segments.
        """
        self._folder = folder
        self._enabled = sys.platform == "linux" and is_local(address) and folder.is_dir()
        self._confirmed = False

    def confirm(self) -> None:
        """Record that the server can read the segments."""
        self._confirmed = True

    def disable(self) -> None:
        """Place no more arrays."""
        self._enabled = False

    def may_be_at_fault(self, error: CuvisFleetError) -> bool:
        """Return whether a request may have failed because the server cannot read the segments."""
        named = "shm_ref" in error.text or "shared-memory" in error.text
        # Servers without shared memory see empty tensors and fail in various ways.
        unknown = not self._confirmed and isinstance(error, InvalidInput | ServerDefect)
        return named or unknown

    def worth_placing(self, request: InferenceRequest) -> list[npt.NDArray[Any]]:
        """Return the arrays of a request that are large enough for shared memory."""
        if not self._enabled:
            return []
        return [each for each in request.all_arrays() if each.nbytes >= MIN_ARRAY_BYTES]

    @contextmanager
    def placed(self, arrays: Iterable[npt.NDArray[Any]]) -> Iterator[SharedArrays]:
        """Place arrays in a segment for the duration of the block.

        Yields:
            References to the arrays; empty: there is no space and they must be sent.
        """
        name = f"cuvis-fleet-{os.getpid()}-{secrets.token_hex(8)}"
        places: dict[int, pb.ShmRef] = {}
        path = self._folder / name
        try:
            try:
                with os.fdopen(os.open(path, _NEW, 0o600), "wb", buffering=0) as segment:
                    offset = 0
                    for array in arrays:
                        content = array.reshape(-1).view(np.uint8).data
                        while content:
                            content = content[segment.write(content) :]
                        places[id(array)] = pb.ShmRef(
                            name=name, byte_offset=offset, byte_size=array.nbytes
                        )
                        offset += array.nbytes
            except OSError:
                # The segment does not fit: send the arrays instead.
                path.unlink(missing_ok=True)
                places.clear()
            yield places
        finally:
            path.unlink(missing_ok=True)
