"""Connection settings, shared by the synchronous and the asyncio client."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TypedDict

import grpc

from cuvis_fleet.errors import WrongArgument
from cuvis_fleet.transport.call_policy import CallPolicy
from cuvis_fleet.transport.retry_policy import RetryPolicy

GIB = 1024**3
DEFAULT_ADDRESS = "localhost:50051"
DEFAULT_RETRIES = RetryPolicy()
File = str | PathLike[str]


class ConnectOptions(TypedDict, total=False):
    """The keyword arguments of `cuvis_fleet.connect`, which documents them."""

    tls: bool | File
    certificate: tuple[File, File] | None
    key: str | None
    max_message_bytes: int
    timeout_s: float | None
    retries: RetryPolicy | None


@dataclass(frozen=True)
class Connection:
    """The settings of a channel and of the calls over it.

    Attributes:
        options: the channel's options.
        credentials: the channel's TLS credentials; None: the channel does not use TLS.
        policy: the rules for calls over it.
    """

    options: list[tuple[str, int]]
    credentials: grpc.ChannelCredentials | None
    policy: CallPolicy

    @classmethod
    def of(
        cls,
        address: str,
        *,
        tls: bool | File = False,
        certificate: tuple[File, File] | None = None,
        key: str | None = None,
        max_message_bytes: int = GIB,
        timeout_s: float | None = None,
        retries: RetryPolicy | None = DEFAULT_RETRIES,
    ) -> "Connection":
        """Read the files that the arguments of `cuvis_fleet.connect` name.

        Raises:
            OSError: a file cannot be read.
            WrongArgument: there is a certificate but TLS is off.
        """
        options = [
            *message_limits(max_message_bytes),
            # Reconnects to a restarted gateway within seconds; gRPC's defaults take minutes.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
        ]
        credentials = None if tls is False else _tls_credentials(tls, certificate)
        if credentials is None and certificate is not None:
            raise WrongArgument(
                "certificate needs TLS; pass tls=True or the file of the server's authority"
            )
        authorization = () if key is None else (("authorization", f"Bearer {key}"),)
        secure = credentials is not None
        policy = CallPolicy(address, secure, timeout_s, retries, authorization)
        return cls(options, credentials, policy)


def message_limits(max_message_bytes: int) -> list[tuple[str, int]]:
    """Return the channel options that limit the size of messages in both directions."""
    return [
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_receive_message_length", max_message_bytes),
    ]


def _tls_credentials(
    authorities: bool | File, certificate: tuple[File, File] | None
) -> grpc.ChannelCredentials:
    trusted = None if isinstance(authorities, bool) else _read(authorities)
    chain, private_key = (None, None) if certificate is None else map(_read, certificate)
    return grpc.ssl_channel_credentials(trusted, private_key, chain)


def _read(file: File) -> bytes:
    return Path(file).read_bytes()
