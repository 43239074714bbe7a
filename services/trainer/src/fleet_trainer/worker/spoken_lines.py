"""What a process of the trainer says to the one that started it, a line at a time."""

import contextlib
import os
import sys
import threading
from typing import TextIO


class SpokenLines:
    """Keeps standard output for itself; what a library prints goes to standard error instead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stream: TextIO = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(self, line: str) -> None:
        """Write a line that the other side reads at once; nothing, where it is gone.

        Any thread may do so.
        """
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._stream.write(f"{line}\n")
            self._stream.flush()
