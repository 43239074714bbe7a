"""Reads measurements in advance on a background thread."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence

from fleet_engine.data.measurement import Measurement


def read_ahead(
    load: Callable[[int], Measurement], ids: Sequence[int], count: int
) -> Generator[Measurement]:
    """Load measurements in the order of `ids`, up to `count` of them in advance.

    The thread starts with the first request. It has ended when this iterator is exhausted, closed
    or garbage-collected.

    Args:
        load: loads a measurement into memory.
        ids: numbers of the measurements.
        count: maximum number of measurements loaded in advance, including the one being loaded; 0:
            each measurement is loaded on request, without a thread.

    Raises:
        Exception: an error of `load`, raised instead of the measurement that failed.
    """
    if count == 0:
        for index in ids:
            yield load(index)
        return
    loading = _Loading(load, ids, count)
    try:
        for _ in ids:
            yield loading.take()
    finally:
        loading.stop()


class _Loading:
    """The background thread and its loaded measurements."""

    def __init__(self, load: Callable[[int], Measurement], ids: Sequence[int], count: int) -> None:
        self._load = load
        self._ids = ids
        self._count = count
        self._changed = threading.Condition()
        self._ready: deque[Measurement | Exception] = deque()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)
        self._thread.start()

    def take(self) -> Measurement:
        with self._changed:
            self._changed.wait_for(lambda: self._ready)
            taken = self._ready.popleft()
            self._changed.notify_all()
        if isinstance(taken, Exception):
            raise taken
        return taken

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()
        self._ready.clear()

    def _run(self) -> None:
        for index in self._ids:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or len(self._ready) < self._count)
                if self._stopped:
                    return
            if not self._hand_over(index):
                return

    def _hand_over(self, index: int) -> bool:
        """Load a measurement and store it or its error; return whether to continue."""
        loaded: Measurement | Exception
        try:
            loaded = self._load(index)
        except Exception as error:  # raised again where the measurement is requested
            loaded = error
        with self._changed:
            self._ready.append(loaded)
            self._changed.notify_all()
        return not isinstance(loaded, Exception)
