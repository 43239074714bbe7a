"""Returns idle heap memory to the operating system."""

import threading
from collections import deque

from fleet_platform.memory.heap import Heap
from fleet_platform.telemetry import logger

_POLLS = 5
_MIN_BYTES = 8 * 1024**2
_log = logger("fleet.memory")


class MemoryReturn:
    """Returns memory that has been free for a while, which malloc would otherwise keep.

    Services keep freed memory, because large messages are slow in fresh memory. Without this, one
    message of a gigabyte would leave a process large until it ends.
    """

    def __init__(self, after_s: float, heap: Heap) -> None:
        """Create an instance without starting it.

        Args:
            after_s: How long memory must have been free, in seconds.
            heap: The heap to watch.
        """
        self._interval_s = after_s / (_POLLS - 1)
        self._heap = heap
        self._free_bytes: deque[int] = deque(maxlen=_POLLS)
        self._floor_bytes = 0
        self._stop = threading.Event()

    def start(self) -> None:
        """Start polling on a daemon thread."""
        threading.Thread(target=self._run, name="memory-return", daemon=True).start()

    def stop(self) -> None:
        """Stop polling."""
        self._stop.set()

    def poll(self) -> None:
        """Poll once; trim the heap if memory has been free for five consecutive polls."""
        self._free_bytes.append(self._heap.free_bytes())
        if len(self._free_bytes) < _POLLS or min(self._free_bytes) < _MIN_BYTES:
            return
        before = self._heap.resident_bytes()
        # malloc still counts returned pages as free.
        if before < self._floor_bytes + _MIN_BYTES:
            return
        self._heap.trim()
        self._floor_bytes = self._heap.resident_bytes()
        self._free_bytes.clear()
        _log.debug("memory.returned", size_bytes=before - self._floor_bytes)

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            self.poll()


def start_memory_return(after_s: float) -> MemoryReturn | None:
    """Start returning this process's idle memory; None if its malloc does not support that."""
    try:
        heap = Heap()
    except OSError as error:
        _log.info("memory.kept", error=str(error))
        return None
    returning = MemoryReturn(after_s, heap)
    returning.start()
    return returning
