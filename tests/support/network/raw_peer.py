"""A peer that sends arbitrary bytes."""

import socket
import struct

_ANSWER_S = 0.02
_TIMEOUT_S = 120.0


def connection(address: str) -> socket.socket:
    """Connect to ``host:port``."""
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=_TIMEOUT_S)


def send(address: str, sent: bytes, *, abruptly: bool) -> None:
    """Send something and leave.

    Args:
        address: ``host:port``.
        sent: what to send; the other side may hang up before all of it went.
        abruptly: whether to leave with a reset, unheard, in place of reading what comes back.
    """
    with connection(address) as peer:
        if abruptly:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            peer.sendall(sent)
            if not abruptly:
                # The server gets as far as answering.
                peer.settimeout(_ANSWER_S)
                while peer.recv(65536):
                    pass
        except (TimeoutError, ConnectionError):
            return
