"""Samples of the resources of a stack's processes."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import psutil

from bench.growth import Sample


class ProcessWatch:
    """A context manager that samples processes, and the sum of each one's children.

    Attributes:
        samples: by name of the process, and by ``NAME's children`` if it has any.
    """

    def __init__(self, find: Callable[[], Mapping[str, int]], every_s: float) -> None:
        """Set what to sample.

        Args:
            find: returns the names and process ids to sample at the moment.
            every_s: seconds between two samples.
        """
        self._find = find
        self._every_s = every_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="process-watch", daemon=True)
        self.samples: defaultdict[str, list[Sample]] = defaultdict(list)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            for name, pid in self._find().items():
                self._sample(name, pid)
            if self._ending.wait(self._every_s):
                return

    def _sample(self, name: str, pid: int) -> None:
        now_s = time.monotonic()
        try:
            process = psutil.Process(pid)
            children = process.children(recursive=True)
        except psutil.NoSuchProcess:
            return  # it is being replaced
        for whose, processes in ((name, [process]), (f"{name}'s children", children)):
            used = [each for process in processes if (each := _used(process))]
            if used:
                self.samples[whose].append(Sample(now_s, *map(sum, zip(*used, strict=True))))


def _used(process: psutil.Process) -> tuple[int, int, int] | None:
    """Return memory, file descriptors and threads; None if the process has ended."""
    try:
        with process.oneshot():
            return process.memory_info().rss, process.num_fds(), process.num_threads()
    except psutil.NoSuchProcess:
        return None
