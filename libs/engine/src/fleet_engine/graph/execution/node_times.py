"""How long each node of one run takes."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch


class NodeTimes:
    """The seconds that each node of one run spends.

    A node that runs tile by tile has one sum over its tiles. Where several threads work on the
    tiles, their seconds add up, as they do for a process's CPU time.
    """

    def __init__(
        self,
        synchronize: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Begin with nothing.

        Args:
            synchronize: returns once the device has done all that was asked of it; called around
                each node, so that a node is not credited with work that it only queued.
            clock: tells the time in seconds.
        """
        self._synchronize = synchronize
        self._clock = clock
        self._lock = threading.Lock()
        self._seconds: dict[str, float] = {}

    @classmethod
    def on(cls, device: torch.device, *, synchronized: bool) -> "NodeTimes":
        """Times of a run on `device`; `synchronized` matters on a CUDA device alone."""
        if synchronized and device.type == "cuda":
            return cls(lambda: torch.cuda.synchronize(device))
        return cls()

    @property
    def seconds(self) -> Mapping[str, float]:
        """By name of the node, in the order in which they first ended."""
        return self._seconds

    @contextmanager
    def of(self, node_name: str) -> Iterator[None]:
        """Add the time of the block to a node; a block that fails adds nothing."""
        if self._synchronize:
            self._synchronize()
        began = self._clock()
        yield
        if self._synchronize:
            self._synchronize()
        spent = self._clock() - began
        with self._lock:
            self._seconds[node_name] = self._seconds.get(node_name, 0.0) + spent
