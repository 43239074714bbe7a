"""Gives memory back that a busier hour has left behind."""

import threading
from collections import deque

from fleet_platform.memory.heap import Heap
from fleet_platform.telemetry import logger

_LOOKS = 5
_LEAST_BYTES = 8 * 1024**2
_log = logger("fleet.memory")


class MemoryReturn:
    """Returns what lay free for a while, and would do so for ever.

    Services keep what they have freed, since big messages are slow in fresh memory. So one message
    of a gigabyte would leave a process large until its end, long after such messages have ceased.
    """

    def __init__(self, after_s: float, heap: Heap) -> None:
        """Prepare.

        Args:
            after_s: how long memory must have been free.
            heap: whose.
        """
        self._pause_s = after_s / (_LOOKS - 1)
        self._heap = heap
        self._free_bytes: deque[int] = deque(maxlen=_LOOKS)
        self._floor_bytes = 0
        self._stop = threading.Event()

    def start(self) -> None:
        """Look from time to time, on a daemon thread."""
        threading.Thread(target=self._run, name="memory-return", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    def look(self) -> None:
        """Look once; memory goes back that was free each of the last five times."""
        self._free_bytes.append(self._heap.free_bytes())
        if len(self._free_bytes) < _LOOKS or min(self._free_bytes) < _LEAST_BYTES:
            return
        before = self._heap.resident_bytes()
        # What is back already counts as free still.
        if before < self._floor_bytes + _LEAST_BYTES:
            return
        self._heap.trim()
        self._floor_bytes = self._heap.resident_bytes()
        self._free_bytes.clear()
        _log.debug("memory.returned", size_bytes=before - self._floor_bytes)

    def _run(self) -> None:
        while not self._stop.wait(self._pause_s):
            self.look()


def start_memory_return(after_s: float) -> MemoryReturn | None:
    """Give memory of this process back from now on; None where its malloc cannot be asked."""
    try:
        heap = Heap()
    except OSError as error:
        _log.info("memory.kept", because=str(error))
        return None
    returning = MemoryReturn(after_s, heap)
    returning.start()
    return returning
