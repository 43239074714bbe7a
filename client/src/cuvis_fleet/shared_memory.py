"""Large arrays for a server on the same host, left in shared memory in place of being sent."""

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
from cuvis_fleet.inference_request import Elsewhere, InferenceRequest
from cuvis_fleet.local_address import is_local
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

PAYS_FROM_BYTES = 1024**2
"""Smaller arrays are sent as fast as they are written to a segment."""

_SEGMENTS = Path("/dev/shm")  # noqa: S108  (where Linux keeps shared memory)

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class SharedMemory:
    """Places arrays where a server on this host finds them.

    Whether it does is found out by the first request: one that it refuses is sent again as usual,
    and no other is placed (a server in a container has segments of its own).
    """

    def __init__(self, address: str, folder: Path = _SEGMENTS) -> None:
        """Find out whether it may be worth a try.

        Args:
            address: of the server.
            folder: where the segments are.
        """
        self._folder = folder
        self._serves = sys.platform == "linux" and is_local(address) and folder.is_dir()
        self._was_found = False

    def found(self) -> None:
        """Note that the server found what was placed."""
        self._was_found = True

    def give_up(self) -> None:
        """Place nothing any more."""
        self._serves = False

    def may_be_at_fault(self, error: CuvisFleetError) -> bool:
        """Whether a request may have failed because the server did not find what was placed."""
        named = "shm_ref" in error.text or "shared-memory" in error.text
        # Servers that know nothing of segments see empty tensors, which they take in many ways.
        unknown = not self._was_found and isinstance(error, InvalidInput | ServerDefect)
        return named or unknown

    def worth_placing(self, request: InferenceRequest) -> list[npt.NDArray[Any]]:
        """The arrays of a request that are not to be sent if they can be placed."""
        if not self._serves:
            return []
        return [each for each in request.all_arrays() if each.nbytes >= PAYS_FROM_BYTES]

    @contextmanager
    def placed(self, arrays: Iterable[npt.NDArray[Any]]) -> Iterator[Elsewhere]:
        """Hold arrays in a segment for the length of the block.

        Yields:
            Where each lies; empty: there is no room, and they are to be sent.
        """
        name = f"cuvis-fleet-{os.getpid()}-{secrets.token_hex(8)}"
        places: dict[int, pb.ShmRef] = {}
        path = self._folder / name
        try:
            try:
                with os.fdopen(os.open(path, _NEW, 0o600), "wb", buffering=0) as segment:
                    for array in arrays:
                        offset = segment.tell()
                        content = array.reshape(-1).view(np.uint8).data
                        while content:
                            content = content[segment.write(content) :]
                        places[id(array)] = pb.ShmRef(
                            name=name, byte_offset=offset, byte_size=array.nbytes
                        )
            except OSError:
                # No room there: what is too large for it is sent.
                path.unlink(missing_ok=True)
                places.clear()
            yield places
        finally:
            path.unlink(missing_ok=True)
