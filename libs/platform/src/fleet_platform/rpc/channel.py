"""Client channels."""

import grpc

from fleet_platform.settings import GIB

_KEEPALIVE_MS = 30_000
_KEEPALIVE_TIMEOUT_MS = 10_000


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
        ],
    )
