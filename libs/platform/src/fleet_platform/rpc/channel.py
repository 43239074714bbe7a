"""Client channels."""

import grpc

from fleet_platform.settings import GIB

_KEEPALIVE_MS = 30_000
_KEEPALIVE_TIMEOUT_MS = 10_000
_FIRST_RECONNECT_MS = 100
_LONGEST_RECONNECT_MS = 1_000


def connect(address: str, *, max_msg_size: int = GIB) -> grpc.Channel:
    """A channel in clear to ``host:port``; connects with the first call.

    Args:
        address: ``host:port``.
        max_msg_size: Largest message in and out, in bytes.
    """
    return grpc.insecure_channel(
        address,
        options=[
            ("grpc.max_send_message_length", max_msg_size),
            ("grpc.max_receive_message_length", max_msg_size),
            ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
            # The default waits up to 2 min before it looks again whether a restarted peer is back.
            ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
            ("grpc.max_reconnect_backoff_ms", _LONGEST_RECONNECT_MS),
        ],
    )
