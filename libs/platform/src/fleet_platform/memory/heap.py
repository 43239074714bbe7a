"""The memory that glibc's malloc has taken from the system for this process."""

import ctypes

from fleet_platform.memory.resident import resident_bytes

_FIGURES = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
    *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)


class _Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _FIGURES]


class Heap:
    """What malloc holds of it, and the way back to the system."""

    def __init__(self) -> None:
        """Find malloc.

        Raises:
            OSError: this system's has no such ways in.
        """
        library = ctypes.CDLL(None)
        try:
            self._mallinfo = library.mallinfo2
            self._malloc_trim = library.malloc_trim
        except AttributeError as error:
            raise OSError(
                "malloc cannot be asked; it is not that of glibc 2.33 or newer"
            ) from error
        self._mallinfo.restype = _Mallinfo2

    def free_bytes(self) -> int:
        """What was freed and stays with malloc; pages that `trim` gave back count as well."""
        return int(self._mallinfo().fordblks)

    def resident_bytes(self) -> int:
        """All of the process that is in memory now."""
        return resident_bytes()

    def trim(self) -> None:
        """Give all whole pages that are free back; who needs memory next waits for new ones."""
        self._malloc_trim(0)
