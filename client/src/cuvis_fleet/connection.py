"""How a connection is set up, for grpc's synchronous and asyncio channels alike."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import grpc

GIB = 1024**3
File = str | PathLike[str]


@dataclass(frozen=True)
class Connection:
    """What a channel is made of.

    Attributes:
        options: of the channel.
        credentials: None: no TLS.
    """

    options: list[tuple[str, int]]
    credentials: grpc.ChannelCredentials | None

    @classmethod
    def of(
        cls,
        tls: bool | File,
        certificate: tuple[File, File] | None,
        max_message_bytes: int,
    ) -> "Connection":
        """Read the files; the arguments are those of `cuvis_fleet.connect`.

        Raises:
            OSError: a file cannot be read.
            ValueError: a certificate without TLS.
        """
        options = [
            ("grpc.max_send_message_length", max_message_bytes),
            ("grpc.max_receive_message_length", max_message_bytes),
            # A gateway that was restarted is found again soon, not after grpc's minutes.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
        ]
        if tls is False:
            if certificate is not None:
                raise ValueError("certificate: only with TLS; say tls=True or name the authorities")
            return cls(options, None)
        authorities = None if tls is True else _read(tls)
        chain, private = (None, None) if certificate is None else map(_read, certificate)
        return cls(options, grpc.ssl_channel_credentials(authorities, private, chain))


def bearer(key: str | None) -> tuple[tuple[str, str], ...]:
    """The metadata that says who calls."""
    return () if key is None else (("authorization", f"Bearer {key}"),)


def _read(file: File) -> bytes:
    return Path(file).read_bytes()
