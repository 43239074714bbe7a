"""A warmed-up parent process that forks the serving process and replaces it if it is killed."""

import ctypes
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar

from fleet_platform.backoff import Backoff
from fleet_platform.ports import free_ports
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import logger

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_PR_SET_PDEATHSIG = 1
_SETTLED_S = 1.0
_FIRST_PAUSE_S = 0.1
_MAX_PAUSE_S = 5.0

_Settings = TypeVar("_Settings", bound=ServiceSettings)
_log = logger("fleet.fork_server")


class ForkServer:
    """Runs `serve` in a forked process and replaces that process whenever a signal kills it.

    A fault in native code or a lack of memory kills a process with a signal. A process that exits
    is not replaced: its exit code gives the reason, and whatever supervises the fork server decides
    what to do. Forked processes share what the parent has imported, so that they can serve almost
    immediately. The parent must not have started a thread or opened a connection.
    """

    def __init__(self, serve: Callable[[], int]) -> None:
        self._serve = serve
        # Signal handlers only add to the queue; one loop handles the events in order.
        self._events: SimpleQueue[int] = SimpleQueue()
        self._before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int] = {}
        self._stopping = False

    def run(self) -> int:
        """Serve until SIGTERM, SIGINT or the serving process exits; return the exit code.

        Call it from the main thread. In the forked processes it raises `SystemExit`.

        Raises:
            RuntimeError: other threads are running; a lock they hold would stay locked in the
                forked process.
        """
        if threading.active_count() > 1:
            names = [thread.name for thread in threading.enumerate()]
            raise RuntimeError(f"only the main thread may run before a fork, but there are {names}")
        # Objects that exist now are never garbage; collecting them would unshare their pages.
        gc.collect()
        gc.freeze()
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal) or signal.SIG_DFL
        backoff = Backoff(_FIRST_PAUSE_S, _MAX_PAUSE_S)
        while True:
            started_s = time.monotonic()
            child = self._fork()
            code = self._wait_for(child)
            if code >= 0:
                return code
            ended_by = signal.Signals(-code)
            if self._stopping:
                return 0 if ended_by in _SIGNALS else 128 + ended_by
            _log.warning("serving.died", pid=child, signal=ended_by.name)
            if time.monotonic() - started_s >= _SETTLED_S:
                backoff.reset()
            elif self._is_stopped_within(backoff.next_s()):
                return 0

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._events.put(number)

    def _fork(self) -> int:
        """Fork and return the child's process id; does not return in the child."""
        parent = os.getpid()
        # A signal must not arrive before the child has replaced its parent's handlers.
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

    def _wait_for(self, child: int) -> int:
        """Wait for the child, forwarding stop signals; return its exit code or negated signal."""
        if self._stopping:
            os.kill(child, signal.SIGTERM)
        while True:
            if self._events.get() != signal.SIGCHLD:
                self._stopping = True
                os.kill(child, signal.SIGTERM)  # not reaped yet, so the id is still the child's
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
    """Return the settings with port 0 replaced by free ports, which all forked processes use."""
    names = ("service_port", "metrics_port")
    unset = [name for name in names if getattr(settings, name) == 0]
    ports = free_ports(len(unset), settings.service_host)
    return settings.model_copy(update=dict(zip(unset, ports, strict=True)))


def _reap(child: int) -> int | None:
    """Reap all processes that ended, including a container's orphans; return the child's status."""
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
    """Ask the kernel to kill this process when its parent dies, so that the port becomes free."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
