"""The client: a connection to a server."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from types import TracebackType
from typing import Any

import grpc

from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.inference.shared_memory import SharedMemory
from cuvis_fleet.models.capabilities import Capabilities
from cuvis_fleet.models.findings import Findings
from cuvis_fleet.models.node_info import NodeInfo
from cuvis_fleet.models.pipeline_info import PipelineInfo
from cuvis_fleet.models.resolved_config import Config
from cuvis_fleet.operations import client_operations, session_operations
from cuvis_fleet.operations.health import health
from cuvis_fleet.session import Session
from cuvis_fleet.transport.call_policy import CallPolicy
from cuvis_fleet.transport.connection import (
    DEFAULT_ADDRESS,
    DEFAULT_RETRIES,
    GIB,
    Connection,
    File,
)
from cuvis_fleet.transport.retry_policy import RetryPolicy
from cuvis_fleet.transport.runner import OperationRunner


class Client:
    """A connection to one server.

    Created by `connect`; closed by `close` or at the end of a ``with`` block.
    """

    def __init__(self, channel: grpc.Channel, policy: CallPolicy) -> None:
        self._channel = channel
        self._runner = OperationRunner(channel, policy)
        self._memory = SharedMemory(policy.address)

    @contextmanager
    def session(
        self, search_paths: Iterable[str | PathLike[str]] | None = None
    ) -> Iterator[Session]:
        """Open a session for the duration of the block.

        Args:
            search_paths: folders of the server in which configurations and weights are looked up;
                None: only the server's own.
        """
        session = self.open_session()
        try:
            if search_paths is not None:
                session.set_search_paths(search_paths)
            yield session
        finally:
            # Sessions expire on the server; a failure here must not hide an error of the block.
            with suppress(CuvisFleetError):
                session.close()

    def open_session(self) -> Session:
        """Open a session that outlives this program; it ends when closed or when it expires."""
        return self.attach(self._runner.run(session_operations.create()))

    def attach(self, session_id: str) -> Session:
        """Return an open session; this client does not close it automatically."""
        return Session(self._runner, self._memory, session_id)

    def health(self) -> dict[str, str]:
        """Return the health of the fleet ("") and of each service, such as ``SERVING``."""
        return self._runner.run(health())

    def pipelines(self, filter_tag: str | None = None) -> list[PipelineInfo]:
        """Return the pipelines that the server offers, sorted by path.

        Args:
            filter_tag: only pipelines with this tag, ignoring case; None: all.
        """
        return self._runner.run(client_operations.pipelines(filter_tag))

    def pipeline(self, name: str) -> PipelineInfo:
        """Return one of the server's pipelines, including its YAML text.

        Args:
            name: the pipeline's path, or its stem if that is unique.

        Raises:
            NotFound: no pipeline has this name; the text lists the closest names.
        """
        return self._runner.run(client_operations.pipeline(name))

    def capabilities(self) -> Capabilities:
        """Return the optimizers, schedulers and callbacks that training runs can use."""
        return self._runner.run(client_operations.capabilities())

    def nodes(self) -> list[NodeInfo]:
        """Return the node classes that pipelines can use."""
        return self._runner.run(client_operations.nodes())

    def schema(self, config_type: str) -> dict[str, Any]:
        """Return the JSON schema of a type of configuration, such as ``training``."""
        return self._runner.run(client_operations.schema(config_type))

    def validate(self, config_type: str, config: Config) -> Findings:
        """Validate a configuration of a type, such as ``pipeline``."""
        return self._runner.run(client_operations.validate(config_type, config))

    def draw(
        self,
        config: Config | str,
        format: str = "png",
    ) -> bytes:
        """Draw a pipeline without loading it.

        Args:
            config: the pipeline's configuration, or its YAML text.
            format: ``png``, ``svg``, ``dot`` or ``mermaid``.
        """
        return self._runner.run(client_operations.draw(config, format))

    def close(self) -> None:
        """Close the connection and cancel running calls."""
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
    address: str = DEFAULT_ADDRESS,
    *,
    tls: bool | File = False,
    certificate: tuple[File, File] | None = None,
    key: str | None = None,
    max_message_bytes: int = GIB,
    timeout_s: float | None = None,
    retries: RetryPolicy | None = DEFAULT_RETRIES,
) -> Client:
    """Create a client; the connection is made with the first call.

    Args:
        address: host and port.
        tls: whether to use TLS; a path names a PEM file with the certificate authorities to trust
            instead of gRPC's defaults.
        certificate: PEM files of the client certificate and its private key, for servers that
            require one; needs TLS.
        key: API key or token that identifies the caller; without TLS it is sent unencrypted.
        max_message_bytes: maximum size of a message in either direction.
        timeout_s: time limit in seconds for each call including its retries; None: no limit.
            Training runs have no limit.
        retries: when calls that are safe to repeat are repeated; None: never. Until the server has
            answered once, a failed connection is reported immediately.

    Raises:
        OSError: a file cannot be read.
        WrongArgument: there is a certificate but TLS is off.
    """
    connection = Connection.of(
        address,
        tls=tls,
        certificate=certificate,
        key=key,
        max_message_bytes=max_message_bytes,
        timeout_s=timeout_s,
        retries=retries,
    )
    if connection.credentials is None:
        channel = grpc.insecure_channel(address, options=connection.options)
    else:
        channel = grpc.secure_channel(address, connection.credentials, options=connection.options)
    return Client(channel, connection.policy)
