"""Starts the parts in order, keeps them running and stops them in reverse order."""

import datetime
import json
import os
import queue
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from honcho.colour import get_colours
from honcho.printer import Message, Printer
from honcho.process import Process

from fleet_local.parts import Part, environment_of
from fleet_platform.backoff import Backoff

_READY_POLL_S = 0.2
_FIRST_PAUSE_S = 0.2
_MAX_PAUSE_S = 5.0
_SETTLED_S = 10.0
_START_GRACE_S = 2.0
_STOP_GRACE_S = 15.0
_KILL_GRACE_S = 2.0
_MAX_START_ATTEMPTS = 3


@dataclass
class _Running:
    part: Part
    colour: str
    pid: int = 0
    starting: bool = False
    started_at: float = 0.0
    backoff: Backoff = field(default_factory=lambda: Backoff(_FIRST_PAUSE_S, _MAX_PAUSE_S))
    restart_at: float | None = None


class Supervisor:
    """Runs parts as processes with prefixed, coloured output, and restarts those that exit.

    Until the stack is ready for the first time, a part that keeps exiting aborts the start.
    Afterwards it is restarted indefinitely, with exponential backoff, because the others can work
    without it for a while.
    """

    def __init__(
        self, parts: list[Part], is_ready: Callable[[], bool], ready_line: str, state_file: Path
    ) -> None:
        colours = get_colours()
        self._running = {part.name: _Running(part, next(colours)) for part in parts}
        self._events: queue.Queue[Message] = queue.Queue()
        self._is_ready = is_ready
        self._ready_line = ready_line
        self._state_file = state_file
        self._ready = threading.Event()
        # Not an event: the interrupted thread may hold its lock.
        self._stopping = False
        # Without a timestamp, because the lines of the parts have their own.
        width = max(len(name) for name in self._running)
        self._printer = Printer(sys.stdout, time_format="", width=width)
        self._exit_code = 0

    def run(self) -> int:
        """Run until a signal arrives or the start fails; return the exit code."""
        with _signals(self._on_signal):
            for stage in sorted({each.part.stage for each in self._running.values()}):
                for each in self._running.values():
                    if each.part.stage == stage:
                        self._start(each)
            threading.Thread(target=self._announce, name="announce", daemon=True).start()
            while not self._stopping:
                self._on_event(timeout_s=0.1)
                self._restart_due_parts()
            self._stop_all()
        self._state_file.unlink(missing_ok=True)
        return self._exit_code

    def _on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self, running: _Running) -> None:
        running.restart_at = None
        running.starting = True
        running.started_at = time.monotonic()
        process = Process(
            "exec " + shlex.join(running.part.command),
            name=running.part.name,
            colour=running.colour,
            env=environment_of(running.part),
        )
        threading.Thread(
            target=process.run, args=(self._events,), name=running.part.name, daemon=True
        ).start()

    def _on_event(self, timeout_s: float) -> None:
        try:
            event = self._events.get(timeout=timeout_s)
        except queue.Empty:
            return
        running = self._running[event.name]
        if event.type == "line":
            self._print(event)
        elif event.type == "start":
            running.starting = False
            running.pid = event.data["pid"]
            self._write_state()
        elif event.type == "stop":
            running.pid = 0
            self._write_state()
            if not self._stopping:
                self._on_exit(running, event.data["returncode"])

    def _on_exit(self, running: _Running, code: int) -> None:
        now = time.monotonic()
        if now - running.started_at > _SETTLED_S:
            running.backoff.reset()
        pause_s = running.backoff.next_s()
        if not self._ready.is_set() and running.backoff.attempts >= _MAX_START_ATTEMPTS:
            self._report(f"{running.part.name} does not start (exit code {code}); see its output")
            self._exit_code = 1
            self._stopping = True
            return
        self._report(f"{running.part.name} exited with code {code}; restarting in {pause_s:.1f} s")
        running.restart_at = now + pause_s

    def _restart_due_parts(self) -> None:
        now = time.monotonic()
        for running in self._running.values():
            if running.restart_at is not None and running.restart_at <= now:
                self._start(running)

    def _announce(self) -> None:
        while not self._stopping:
            if self._is_ready():
                self._ready.set()
                self._report(self._ready_line)
                return
            time.sleep(_READY_POLL_S)

    def _stop_all(self) -> None:
        everyone = list(self._running.values())
        # A part can only be signalled once its process id is known.
        self._handle_events_while(lambda: any(each.starting for each in everyone), _START_GRACE_S)
        for stage in sorted({each.part.stage for each in everyone}, reverse=True):
            members = [each for each in everyone if each.part.stage == stage]
            self._signal(members, signal.SIGTERM)
            self._handle_events_while(partial(_any_alive, members), _STOP_GRACE_S)
            self._signal(members, signal.SIGKILL)
            self._handle_events_while(partial(_any_alive, members), _KILL_GRACE_S)
        self._report("stopped")

    def _handle_events_while(self, condition: Callable[[], bool], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while condition() and time.monotonic() < deadline:
            self._on_event(timeout_s=0.1)

    @staticmethod
    def _signal(members: list[_Running], number: signal.Signals) -> None:
        for each in members:
            if each.pid:
                with suppress(ProcessLookupError):
                    os.killpg(each.pid, number)

    def _report(self, line: str) -> None:
        now = datetime.datetime.now()
        self._print(Message(type="line", data=line, time=now, name="fleet", colour=None))

    def _print(self, line: Message) -> None:
        try:
            self._printer.write(line)
        except OSError:
            # The output is closed, but the parts must still be stopped.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._stopping = True

    def _write_state(self) -> None:
        state = {name: _state_of(each) for name, each in self._running.items()}
        temporary = self._state_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(state, indent=2), encoding="utf-8")
        temporary.replace(self._state_file)


def _state_of(running: _Running) -> dict[str, int]:
    state = {"pid": running.pid, "port": running.part.port}
    if running.part.metrics_port is not None:
        state["metrics_port"] = running.part.metrics_port
    return state


def _any_alive(members: list[_Running]) -> bool:
    return any(each.pid for each in members)


@contextmanager
def _signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle termination signals with `handler` for the duration of the block."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, handler) for number in numbers]
    try:
        yield
    finally:
        for number, previous in zip(numbers, before, strict=True):
            signal.signal(number, previous)
