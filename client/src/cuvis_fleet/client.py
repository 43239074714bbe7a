"""The connection to a server."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from types import TracebackType
from typing import Any

import grpc

from cuvis_fleet import client_plans, session_plans
from cuvis_fleet.calls import Calls
from cuvis_fleet.capabilities import Capabilities
from cuvis_fleet.connection import GIB, Connection
from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.findings import Findings
from cuvis_fleet.health import health
from cuvis_fleet.link import Link
from cuvis_fleet.node_info import NodeInfo
from cuvis_fleet.pipeline_info import PipelineInfo
from cuvis_fleet.resolved_config import Config
from cuvis_fleet.retry_policy import RetryPolicy
from cuvis_fleet.session import Session
from cuvis_fleet.shared_memory import SharedMemory


class Client:
    """A connection to one address; made by `connect`, closed by `close` or at the end of `with`."""

    def __init__(self, channel: grpc.Channel, link: Link) -> None:
        self._channel = channel
        self._calls = Calls(channel, link)
        self._memory = SharedMemory(link.address)

    @contextmanager
    def session(
        self, search_paths: Iterable[str | PathLike[str]] | None = None
    ) -> Iterator[Session]:
        """Open a session for the length of the block.

        Args:
            search_paths: folders of the server in which configurations and weights are looked up;
                None: those of the server alone.
        """
        session = self.open_session()
        try:
            if search_paths is not None:
                session.set_search_paths(search_paths)
            yield session
        finally:
            # The server forgets sessions by itself; a failure here must not hide one of the block.
            with suppress(CuvisFleetError):
                session.close()

    def open_session(self) -> Session:
        """Open a session that outlives this program, until it is closed or nobody calls it."""
        return self.attach(self._calls.run(session_plans.create()))

    def attach(self, session_id: str) -> Session:
        """Take up a session that is open already; it is not closed here."""
        return Session(self._calls, self._memory, session_id)

    def health(self) -> dict[str, str]:
        """Whether the fleet ("") and each of its services serves: ``SERVING``, or what else."""
        return self._calls.run(health())

    def pipelines(self, filter_tag: str | None = None) -> list[PipelineInfo]:
        """The pipelines that the server offers, sorted by path.

        Args:
            filter_tag: only those with this tag, letter case ignored; None: all.
        """
        return self._calls.run(client_plans.pipelines(filter_tag))

    def pipeline(self, name: str) -> PipelineInfo:
        """One pipeline that the server offers, with its text.

        Args:
            name: its path, or a stem that only one has.

        Raises:
            NotFound: there is none; the text names the nearest.
        """
        return self._calls.run(client_plans.pipeline(name))

    def capabilities(self) -> Capabilities:
        """What training configurations may name."""
        return self._calls.run(client_plans.capabilities())

    def nodes(self) -> list[NodeInfo]:
        """The node classes that pipelines may name."""
        return self._calls.run(client_plans.nodes())

    def schema(self, config_type: str) -> dict[str, Any]:
        """The JSON schema of one kind of configuration, such as ``training``."""
        return self._calls.run(client_plans.schema(config_type))

    def validate(self, config_type: str, config: Config) -> Findings:
        """Check a configuration of a kind, such as ``pipeline``."""
        return self._calls.run(client_plans.validate(config_type, config))

    def draw(
        self,
        config: Config | str,
        format: str = "png",
    ) -> bytes:
        """Draw a pipeline without loading it.

        Args:
            config: of the pipeline; a string: its YAML text.
            format: ``png``, ``svg``, ``dot`` or ``mermaid``.
        """
        return self._calls.run(client_plans.draw(config, format))

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
    retries: RetryPolicy | None = RetryPolicy(),  # noqa: B008  (frozen)
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
        timeout_s: seconds that each call may take with all its attempts; None: any. Trainings may
            take any time.
        retries: how calls that may be repeated are; None: none is. Before the server has answered
            once, a failed connection is told at once.

    Raises:
        OSError: a file cannot be read.
        WrongArgument: a certificate without TLS.
    """
    connection = Connection.of(tls, certificate, max_message_bytes)
    if connection.credentials is None:
        channel = grpc.insecure_channel(address, options=connection.options)
    else:
        channel = grpc.secure_channel(address, connection.credentials, options=connection.options)
    return Client(channel, connection.link(address, timeout_s, retries, key))
