"""The connection to a server."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from types import TracebackType

import grpc

from cuvis_fleet.calls import Calls
from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.session import Session

GIB = 1024**3


class Client:
    """A connection to one address; made by `connect`, closed by `close` or at the end of `with`."""

    def __init__(
        self, channel: grpc.Channel, address: str, timeout_s: float | None, key: str | None = None
    ) -> None:
        self._channel = channel
        self._calls = Calls(channel, address, timeout_s, key)

    @contextmanager
    def session(
        self, search_paths: Iterable[str | PathLike[str]] | None = None
    ) -> Iterator[Session]:
        """Open a session for the length of the block.

        Args:
            search_paths: folders of the server in which configurations and weights are looked up;
                None: those of the server alone.
        """
        session = Session(self._calls)
        try:
            if search_paths is not None:
                session.set_search_paths(search_paths)
            yield session
        finally:
            # The server forgets sessions by itself; a failure here must not hide one of the block.
            with suppress(CuvisFleetError):
                session.close()

    def close(self) -> None:
        """Close the connection; running calls are cancelled."""
        self._channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def connect(
    address: str = "localhost:50051",
    *,
    tls: bool | str | PathLike[str] = False,
    certificate: tuple[str | PathLike[str], str | PathLike[str]] | None = None,
    key: str | None = None,
    max_message_bytes: int = GIB,
    timeout_s: float | None = None,
) -> Client:
    """Prepare a connection to a server; it is made with the first call.

    Args:
        address: host and port.
        tls: whether to speak TLS; a path: of the PEM file of the authorities that the server's
            certificate may come from, in place of gRPC's own list.
        certificate: PEM files of the client's own certificate and its private key, for servers that
            want one; only with TLS.
        key: API key or token that says who calls; without TLS whoever listens can read it.
        max_message_bytes: largest message in and out.
        timeout_s: seconds that each call may take; None: any. Trainings may take any time.

    Raises:
        OSError: a file cannot be read.
        ValueError: a certificate without TLS.
    """
    options = [
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_receive_message_length", max_message_bytes),
    ]
    if tls is False:
        if certificate is not None:
            raise ValueError("certificate: only with TLS; say tls=True or name the authorities")
        channel = grpc.insecure_channel(address, options=options)
    else:
        authorities = None if tls is True else _read(tls)
        chain, private = (None, None) if certificate is None else map(_read, certificate)
        credentials = grpc.ssl_channel_credentials(authorities, private, chain)
        channel = grpc.secure_channel(address, credentials, options=options)
    return Client(channel, address, timeout_s, key)


def _read(file: str | PathLike[str]) -> bytes:
    return Path(file).read_bytes()
