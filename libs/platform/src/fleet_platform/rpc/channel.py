"""Client channels."""

import grpc

from fleet_platform.settings import GIB

_KEEPALIVE_MS = 30_000
_KEEPALIVE_TIMEOUT_MS = 10_000
_FIRST_RECONNECT_MS = 100
_MAX_RECONNECT_MS = 1_000


def connect(address: str, *, max_msg_size: int = GIB) -> grpc.Channel:
    """Return a plaintext channel to ``host:port``, which connects on the first call.

    Args:
        address: ``host:port``.
        max_msg_size: Size of the largest message received or sent, in bytes.
    """
    return grpc.insecure_channel(
        address,
        options=[
            ("grpc.max_send_message_length", max_msg_size),
            ("grpc.max_receive_message_length", max_msg_size),
            ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
            # By default a channel waits up to 2 min before it reconnects to a restarted peer.
            ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
            ("grpc.max_reconnect_backoff_ms", _MAX_RECONNECT_MS),
        ],
    )
