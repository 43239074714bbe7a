"""A process that serves, forked from one that has all imports done and forks the next at once."""

import ctypes
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar

from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import logger

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_PR_SET_PDEATHSIG = 1
_SETTLED_S = 1.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0

_Settings = TypeVar("_Settings", bound=ServiceSettings)
_log = logger("fleet.prefork")


class Prefork:
    """Runs `serve` in a forked process, again and again for as long as signals end that.

    A signal is how a fault or the system's lack of memory ends a process. One that ends by itself
    is not started again: its exit code says why, and whoever started this one decides. What the
    parent has imported, its children share with it, so that they serve within a moment. It must
    have started no thread and opened no connection.
    """

    def __init__(self, serve: Callable[[], int]) -> None:
        self._serve = serve
        # Handlers only add to it; all is done in the order of the queue, by one loop.
        self._events: SimpleQueue[int] = SimpleQueue()
        self._before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int] = {}
        self._stopping = False

    def run(self) -> int:
        """Serve until SIGTERM, SIGINT or an end of its own; returns the exit code.

        For the main thread. In the children this raises `SystemExit`.

        Raises:
            RuntimeError: threads run, whose locks the children would find held for ever.
        """
        if threading.active_count() > 1:
            names = [thread.name for thread in threading.enumerate()]
            raise RuntimeError(f"only the main thread may run before a fork, but there are {names}")
        # What is here now is never garbage: looking through it would unshare its pages.
        gc.collect()
        gc.freeze()
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal) or signal.SIG_DFL
        early = 0
        while True:
            began_s = time.monotonic()
            child = self._fork()
            code = self._outlive(child)
            if code >= 0:
                return code
            ended_by = signal.Signals(-code)
            if self._stopping:
                return 0 if ended_by in _SIGNALS else 128 + ended_by
            _log.warning("serving.died", pid=child, signal=ended_by.name)
            early = early + 1 if time.monotonic() - began_s < _SETTLED_S else 0
            pause_s = min(_FIRST_PAUSE_S * 2 ** (early - 1), _LONGEST_PAUSE_S)
            if early and self._is_stopped_within(pause_s):
                return 0

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._events.put(number)

    def _fork(self) -> int:
        """Fork; returns the child's process id, and in the child never."""
        parent = os.getpid()
        # A signal that comes early must wait until the child no longer takes it for its parent's.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        child = os.fork()
        if child == 0:
            _die_with(parent)
            for number, handler in self._before.items():
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        if child == 0:
            sys.exit(self._serve())
        return child

    def _outlive(self, child: int) -> int:
        """Pass on what asks to stop until the child ends; its exit code, or minus a signal."""
        if self._stopping:
            os.kill(child, signal.SIGTERM)
        while True:
            if self._events.get() != signal.SIGCHLD:
                self._stopping = True
                os.kill(child, signal.SIGTERM)  # it is at most a zombie, which has its id still
            elif (status := _reap(child)) is not None:
                return os.waitstatus_to_exitcode(status)

    def _is_stopped_within(self, pause_s: float) -> bool:
        ends_s = time.monotonic() + pause_s
        while (left_s := ends_s - time.monotonic()) > 0:
            with suppress(Empty):
                if self._events.get(timeout=left_s) != signal.SIGCHLD:
                    return True
        return False


def with_chosen_ports(settings: _Settings) -> _Settings:
    """The settings with free ports in place of 0, so that each child serves where the first did."""
    names = ("service_port", "metrics_port")
    zeros = [name for name in names if getattr(settings, name) == 0]
    probes = [socket.create_server((settings.service_host, 0)) for _ in zeros]
    chosen = {name: probe.getsockname()[1] for name, probe in zip(zeros, probes, strict=True)}
    for probe in probes:
        probe.close()
    return settings.model_copy(update=chosen)


def _reap(child: int) -> int | None:
    """Take note of all that ended, a container's orphans included; the child's status if it did."""
    found = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if ended == 0:
            return found
        if ended == child:
            found = status


def _die_with(parent: int) -> None:
    """Have the system kill this process when its parent dies, whose successor needs the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
