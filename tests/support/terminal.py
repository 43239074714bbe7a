"""A program in its own terminal (a pty), as a person uses it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.polling import wait_until

# As a shell in a terminal starts it: who runs the tests in the background has Ctrl-C ignored.
_IN_ITS_TERMINAL = (
    "import fcntl, os, signal, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])"
)
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07")
_DEADLINE_S = 300.0


class Terminal:
    """The running program, its output so far, and its keyboard."""

    def __init__(self, process: subprocess.Popen[bytes], keyboard: int) -> None:
        self._process = process
        self._keyboard = keyboard
        self._shown = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def raw(self) -> str:
        """All that was shown so far, with what steers the terminal."""
        return bytes(self._shown).decode("utf-8", errors="replace")

    @property
    def text(self) -> str:
        """All that was shown so far, without colours and movements."""
        return _ESCAPES.sub("", self.raw).replace("\r\n", "\n").replace("\r", "\n")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until something was shown; returns where."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            match = re.search(pattern, self.text)
            found.extend([match] if match else [])
            return match is not None or (
                self._process.poll() is not None and not self._reader.is_alive()
            )

        wait_until(look, f"the terminal shows {pattern}", _DEADLINE_S)
        assert found, f"the program ended without {pattern}; it had shown:\n{self.text}"
        return found[0]

    def press_ctrl_c(self) -> None:
        """Interrupt what runs in the foreground, as the terminal does."""
        os.write(self._keyboard, b"\x03")

    def exit_code(self) -> int:
        """Wait until the program has ended and all was read."""
        code = self._process.wait(timeout=_DEADLINE_S)
        self._reader.join(timeout=_DEADLINE_S)
        return code

    def _read(self) -> None:
        while True:
            try:
                read = os.read(self._keyboard, 65536)
            except OSError:  # the other end is closed
                return
            if not read:
                return
            self._shown += read


@contextmanager
def terminal(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    *,
    columns: int = 100,
    lines: int = 50,
    folder: Path | None = None,
) -> Iterator[Terminal]:
    """Run a program in a terminal for the length of the block at most."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _IN_ITS_TERMINAL, *map(str, command)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=dict(environment),
        cwd=folder,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(ours)
