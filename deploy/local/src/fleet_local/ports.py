"""Checks whether TCP ports of this machine are in use."""

import socket


def is_taken(host: str, port: int) -> bool:
    """Return whether `port` cannot be bound on `host`."""
    with socket.socket() as probe:
        # Like Envoy: a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False
