"""How a connection is set up, for grpc's synchronous and asyncio channels alike."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import grpc

from cuvis_fleet.errors import WrongArgument
from cuvis_fleet.link import Link
from cuvis_fleet.retry_policy import RetryPolicy

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
            WrongArgument: a certificate without TLS.
        """
        options = [
            *message_limits(max_message_bytes),
            # A gateway that was restarted is found again soon, not after grpc's minutes.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
        ]
        if tls is False:
            if certificate is not None:
                raise WrongArgument(
                    "certificate: only with TLS; say tls=True or name the authorities"
                )
            return cls(options, None)
        authorities = None if tls is True else _read(tls)
        chain, private = (None, None) if certificate is None else map(_read, certificate)
        return cls(options, grpc.ssl_channel_credentials(authorities, private, chain))

    def link(
        self, address: str, timeout_s: float | None, retries: RetryPolicy | None, key: str | None
    ) -> Link:
        """The rules for calls over it; the arguments are those of `cuvis_fleet.connect`."""
        who = () if key is None else (("authorization", f"Bearer {key}"),)
        return Link(address, self.credentials is not None, timeout_s, retries, who)


def message_limits(max_message_bytes: int) -> list[tuple[str, int]]:
    """The options of a channel that bound the messages in and out."""
    return [
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_receive_message_length", max_message_bytes),
    ]


def _read(file: File) -> bytes:
    return Path(file).read_bytes()
