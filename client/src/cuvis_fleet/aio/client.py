"""The asyncio client: a connection to a server."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from os import PathLike
from types import TracebackType
from typing import Any, Unpack

import grpc
import grpc.aio

from cuvis_fleet.aio.runner import AsyncOperationRunner
from cuvis_fleet.aio.session import AsyncSession
from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.inference.shared_memory import SharedMemory
from cuvis_fleet.models.capabilities import Capabilities
from cuvis_fleet.models.findings import Findings
from cuvis_fleet.models.node_info import NodeInfo
from cuvis_fleet.models.pipeline_info import PipelineInfo
from cuvis_fleet.models.resolved_config import Config
from cuvis_fleet.operations import client_operations, session_operations
from cuvis_fleet.operations.health import health
from cuvis_fleet.transport.call_policy import CallPolicy
from cuvis_fleet.transport.connection import DEFAULT_ADDRESS, Connection, ConnectOptions


class AsyncClient:
    """A connection to one server.

    Created by `connect`; closed by `close` or at the end of an ``async with`` block. The methods
    are those of `cuvis_fleet.Client`, which documents their arguments, results and errors.
    """

    def __init__(self, channel: grpc.aio.Channel, policy: CallPolicy) -> None:
        self._channel = channel
        self._runner = AsyncOperationRunner(channel, policy)
        self._memory = SharedMemory(policy.address)

    @asynccontextmanager
    async def session(
        self, search_paths: Iterable[str | PathLike[str]] | None = None
    ) -> AsyncIterator[AsyncSession]:
        """Open a session for the duration of the block."""
        session = await self.open_session()
        try:
            if search_paths is not None:
                await session.set_search_paths(search_paths)
            yield session
        finally:
            # Sessions expire on the server; a failure here must not hide an error of the block.
            with suppress(CuvisFleetError):
                await session.close()

    async def open_session(self) -> AsyncSession:
        """Open a session that outlives this program; it ends when closed or when it expires."""
        return self.attach(await self._runner.run(session_operations.create()))

    def attach(self, session_id: str) -> AsyncSession:
        """Return an open session; this client does not close it automatically."""
        return AsyncSession(self._runner, self._memory, session_id)

    async def health(self) -> dict[str, str]:
        """Return the health of the fleet ("") and of each service, such as ``SERVING``."""
        return await self._runner.run(health())

    async def pipelines(self, filter_tag: str | None = None) -> list[PipelineInfo]:
        """Return the pipelines that the server offers, sorted by path."""
        return await self._runner.run(client_operations.pipelines(filter_tag))

    async def pipeline(self, name: str) -> PipelineInfo:
        """Return one of the server's pipelines, including its YAML text."""
        return await self._runner.run(client_operations.pipeline(name))

    async def capabilities(self) -> Capabilities:
        """Return the optimizers, schedulers and callbacks that training runs can use."""
        return await self._runner.run(client_operations.capabilities())

    async def nodes(self) -> list[NodeInfo]:
        """Return the node classes that pipelines can use."""
        return await self._runner.run(client_operations.nodes())

    async def schema(self, config_type: str) -> dict[str, Any]:
        """Return the JSON schema of a type of configuration, such as ``training``."""
        return await self._runner.run(client_operations.schema(config_type))

    async def validate(self, config_type: str, config: Config) -> Findings:
        """Validate a configuration of a type, such as ``pipeline``."""
        return await self._runner.run(client_operations.validate(config_type, config))

    async def draw(
        self,
        config: Config | str,
        format: str = "png",
    ) -> bytes:
        """Draw a pipeline without loading it."""
        return await self._runner.run(client_operations.draw(config, format))

    async def close(self) -> None:
        """Close the connection and cancel running calls."""
        await self._channel.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def connect(address: str = DEFAULT_ADDRESS, **options: Unpack[ConnectOptions]) -> AsyncClient:
    """Create a client; the connection is made with the first call.

    Call it in a running event loop.

    Args:
        address: host and port.
        options: the keyword arguments of `cuvis_fleet.connect`, which documents them and its
            errors.
    """
    connection = Connection.of(address, **options)
    if connection.credentials is None:
        channel = grpc.aio.insecure_channel(address, options=connection.options)
    else:
        channel = grpc.aio.secure_channel(
            address, connection.credentials, options=connection.options
        )
    return AsyncClient(channel, connection.policy)
