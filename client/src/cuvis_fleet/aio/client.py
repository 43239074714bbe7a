"""The connection to a server, for asyncio."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from os import PathLike
from types import TracebackType
from typing import Any

import grpc
import grpc.aio

from cuvis_fleet import client_plans, session_plans
from cuvis_fleet.aio.calls import AsyncCalls
from cuvis_fleet.aio.session import AsyncSession
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
from cuvis_fleet.shared_memory import SharedMemory


class AsyncClient:
    """A connection to one address; made by `connect`, closed by `close` or after `async with`.

    The methods are those of `cuvis_fleet.Client`, which tells their arguments, results and errors.
    """

    def __init__(self, channel: grpc.aio.Channel, link: Link) -> None:
        self._channel = channel
        self._calls = AsyncCalls(channel, link)
        self._memory = SharedMemory(link.address)

    @asynccontextmanager
    async def session(
        self, search_paths: Iterable[str | PathLike[str]] | None = None
    ) -> AsyncIterator[AsyncSession]:
        """Open a session for the length of the block."""
        session = await self.open_session()
        try:
            if search_paths is not None:
                await session.set_search_paths(search_paths)
            yield session
        finally:
            # The server forgets sessions by itself; a failure here must not hide one of the block.
            with suppress(CuvisFleetError):
                await session.close()

    async def open_session(self) -> AsyncSession:
        """Open a session that outlives this program, until it is closed or nobody calls it."""
        return self.attach(await self._calls.run(session_plans.create()))

    def attach(self, session_id: str) -> AsyncSession:
        """Take up a session that is open already; it is not closed here."""
        return AsyncSession(self._calls, self._memory, session_id)

    async def health(self) -> dict[str, str]:
        """Whether the fleet ("") and each of its services serves: ``SERVING``, or what else."""
        return await self._calls.run(health())

    async def pipelines(self, filter_tag: str | None = None) -> list[PipelineInfo]:
        """The pipelines that the server offers, sorted by path."""
        return await self._calls.run(client_plans.pipelines(filter_tag))

    async def pipeline(self, name: str) -> PipelineInfo:
        """One pipeline that the server offers, with its text."""
        return await self._calls.run(client_plans.pipeline(name))

    async def capabilities(self) -> Capabilities:
        """What training configurations may name."""
        return await self._calls.run(client_plans.capabilities())

    async def nodes(self) -> list[NodeInfo]:
        """The node classes that pipelines may name."""
        return await self._calls.run(client_plans.nodes())

    async def schema(self, config_type: str) -> dict[str, Any]:
        """The JSON schema of one kind of configuration, such as ``training``."""
        return await self._calls.run(client_plans.schema(config_type))

    async def validate(self, config_type: str, config: Config) -> Findings:
        """Check a configuration of a kind, such as ``pipeline``."""
        return await self._calls.run(client_plans.validate(config_type, config))

    async def draw(
        self,
        config: Config | str,
        format: str = "png",
    ) -> bytes:
        """Draw a pipeline without loading it."""
        return await self._calls.run(client_plans.draw(config, format))

    async def close(self) -> None:
        """Close the connection; running calls are cancelled."""
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


def connect(
    address: str = "localhost:50051",
    *,
    tls: bool | str | PathLike[str] = False,
    certificate: tuple[str | PathLike[str], str | PathLike[str]] | None = None,
    key: str | None = None,
    max_message_bytes: int = GIB,
    timeout_s: float | None = None,
    retries: RetryPolicy | None = RetryPolicy(),  # noqa: B008  (frozen)
) -> AsyncClient:
    """Prepare a connection to a server; it is made with the first call.

    The arguments and errors are those of `cuvis_fleet.connect`. Call it where the event loop runs.
    """
    connection = Connection.of(tls, certificate, max_message_bytes)
    if connection.credentials is None:
        channel = grpc.aio.insecure_channel(address, options=connection.options)
    else:
        channel = grpc.aio.secure_channel(
            address, connection.credentials, options=connection.options
        )
    return AsyncClient(channel, connection.link(address, timeout_s, retries, key))
