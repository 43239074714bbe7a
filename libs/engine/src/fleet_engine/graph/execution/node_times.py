"""Timings of the nodes of a run."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch


class NodeTimes:
    """The time that each node of a run takes, in seconds.

    The time of a node that runs tile by tile is the sum over its tiles. If several threads work on
    the tiles, their times add up, like the CPU time of a process.
    """

    def __init__(
        self,
        synchronize: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Create an empty record.

        Args:
            synchronize: waits until the device has finished all queued work; called before and
                after each node, so that the time of a node includes the work it queued.
            clock: returns the time in seconds.
        """
        self._synchronize = synchronize
        self._clock = clock
        self._lock = threading.Lock()
        self._seconds: dict[str, float] = {}

    @classmethod
    def on(cls, device: torch.device, *, synchronized: bool) -> "NodeTimes":
        """Return a record for a run on `device`; `synchronized` only affects CUDA devices."""
        if synchronized and device.type == "cuda":
            return cls(lambda: torch.cuda.synchronize(device))
        return cls()

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds by name of the node, in the order in which the nodes first finished."""
        return self._seconds

    @contextmanager
    def of(self, node_name: str) -> Iterator[None]:
        """Add the duration of the block to a node, unless the block fails."""
        if self._synchronize:
            self._synchronize()
        began = self._clock()
        yield
        if self._synchronize:
            self._synchronize()
        spent = self._clock() - began
        with self._lock:
            self._seconds[node_name] = self._seconds.get(node_name, 0.0) + spent
