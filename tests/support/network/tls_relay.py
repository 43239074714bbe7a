"""A relay that terminates TLS in front of a server without it."""

import socket
import socketserver
import ssl
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.support.certificates import Pair

_CHUNK_BYTES = 1 << 16


class TlsRelay:
    """Relays from its own port to one on loopback; runs while entered.

    Attributes:
        port: where it listens on loopback.
    """

    def __init__(self, target_port: int, pair: Pair) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)

        class Relayed(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with (
                    suppress(OSError),  # a client that trusts somebody else
                    context.wrap_socket(self.request, server_side=True) as outer,
                    socket.create_connection(("127.0.0.1", target_port)) as inner,
                ):
                    back = threading.Thread(target=_pump, args=(inner, outer), daemon=True)
                    back.start()
                    _pump(outer, inner)
                    back.join()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relayed)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK_BYTES):
            target.sendall(chunk)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
