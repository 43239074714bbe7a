"""The heap of glibc's malloc in this process."""

import ctypes

from fleet_platform.memory.resident import resident_bytes

_MALLINFO_FIELDS = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
    *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)


class _Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _MALLINFO_FIELDS]


class Heap:
    """Measures malloc's heap and returns its free pages to the operating system."""

    def __init__(self) -> None:
        """Look up malloc's functions.

        Raises:
            OSError: this system's malloc does not have them.
        """
        library = ctypes.CDLL(None)
        try:
            self._mallinfo = library.mallinfo2
            self._malloc_trim = library.malloc_trim
        except AttributeError as error:
            raise OSError("malloc has no statistics; this requires glibc 2.33 or newer") from error
        self._mallinfo.restype = _Mallinfo2

    def free_bytes(self) -> int:
        """Return how much freed memory malloc keeps, including pages that `trim` has returned."""
        return int(self._mallinfo().fordblks)

    def resident_bytes(self) -> int:
        """Return the resident memory of this process."""
        return resident_bytes()

    def trim(self) -> None:
        """Return all free pages to the system; the next allocation pays for new pages."""
        self._malloc_trim(0)
