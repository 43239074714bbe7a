"""The client library for asyncio: the same methods as coroutines.

::

    from cuvis_fleet import aio

    async with aio.connect("localhost:50051") as client, client.session() as session:
        await session.apply(await session.resolve("trainrun", "trainrun/rx_statistical"))
        async for progress in session.train("statistical"):
            print(progress.message)
        result = await session.infer(cube, wavelengths_nm, outputs=["scores"])
"""

from cuvis_fleet.aio.client import AsyncClient, connect
from cuvis_fleet.aio.session import AsyncSession

__all__ = ["AsyncClient", "AsyncSession", "connect"]
