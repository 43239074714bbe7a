"""A TCP relay that breaks a share of the connections, as a bad network does."""

import random
import socket
import struct
import threading
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 1 << 16
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_CONNECT_WITHIN_S = 2.0


class FaultyProxy:
    """Relays until failures are requested; runs while entered.

    A failure resets the connection, half the time before the server has seen the request and half
    the time after it has done what was asked, so that only the reply is lost.

    Attributes:
        port: its port on loopback.
        failure_rate: share of requests that fail.
        replies_to_lose: the next requests whose replies are lost although they are done.
        failures: requests that failed so far.
    """

    def __init__(self, target_port: int, seed: int = 20) -> None:
        self._target = ("127.0.0.1", target_port)
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.failure_rate = 0.0
        self.replies_to_lose = 0
        self.failures = 0

    @property
    def url(self) -> str:
        """Redis' address through this proxy."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        # Only a shutdown wakes the thread that waits for the next client.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            sockets = list(self._open)
        for each in sockets:
            _shut(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client:
            try:
                server = socket.create_connection(self._target, _CONNECT_WITHIN_S)
            except OSError:
                return
            with server:
                server.settimeout(None)
                with self._lock:
                    self._open |= {client, server}
                replies_lost = threading.Event()
                back = threading.Thread(
                    target=self._pump_replies, args=(server, client, replies_lost), daemon=True
                )
                back.start()
                self._pump_requests(client, server, replies_lost)
                _shut(server)
                back.join()
                with self._lock:
                    self._open -= {client, server}

    def _pump_requests(
        self, client: socket.socket, server: socket.socket, replies_lost: threading.Event
    ) -> None:
        while request := _receive(client):
            fails, after_it_was_done = self._chances()
            if fails and not after_it_was_done:
                _reset(client)
                return
            if fails:
                replies_lost.set()
            if not _send(server, request):
                return

    def _pump_replies(
        self, server: socket.socket, client: socket.socket, replies_lost: threading.Event
    ) -> None:
        while reply := _receive(server):
            if replies_lost.is_set():
                _reset(client)
                return
            if not _send(client, reply):
                return
        _shut(client)

    def _chances(self) -> tuple[bool, bool]:
        with self._lock:
            if self.replies_to_lose:
                self.replies_to_lose -= 1
                self.failures += 1
                return True, True
            fails = self._random.random() < self.failure_rate
            self.failures += fails
            return fails, self._random.random() < 0.5


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(_CHUNK_BYTES)
    except OSError:
        return b""


def _send(target: socket.socket, content: bytes) -> bool:
    try:
        target.sendall(content)
    except OSError:
        return False
    return True


def _reset(connection: socket.socket) -> None:
    """End it so that the peer's next read or write fails."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    except OSError:
        return
    _shut(connection)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
