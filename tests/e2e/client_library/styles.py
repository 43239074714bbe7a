"""One way to drive the library, synchronous or asyncio, so that one suite runs on both."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import cuvis_fleet
from cuvis_fleet import aio

Work = Callable[["Steps"], Any]


@dataclass
class Steps:
    """A session that is open, whichever way.

    Attributes:
        call: makes a call of the session by its name.
        follow: trains; tells each message to the function given.
        session_id: the server's name for it.
    """

    call: Callable[..., Any]
    follow: Callable[[str, Callable[[cuvis_fleet.Progress], None]], None]
    session_id: str


def synchronous(address: str, work: Work, **connection: Any) -> Any:
    """Do the work in a session of the synchronous client."""
    with cuvis_fleet.connect(address, **connection) as client, client.session() as session:

        def follow(trainer: str, tell: Callable[[cuvis_fleet.Progress], None]) -> None:
            for progress in session.train(trainer):
                tell(progress)

        return work(
            Steps(
                lambda name, *args, **more: getattr(session, name)(*args, **more),
                follow,
                session.id,
            )
        )


def asynchronous(address: str, work: Work, **connection: Any) -> Any:
    """Do the work in a session of the asyncio client, whose loop has a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    async def connected() -> aio.AsyncClient:
        return aio.connect(address, **connection)

    client = wait(connected())
    opened = client.session()
    session = wait(opened.__aenter__())

    async def follow(trainer: str, tell: Callable[[cuvis_fleet.Progress], None]) -> None:
        async for progress in session.train(trainer):
            tell(progress)

    try:
        return work(
            Steps(
                lambda name, *args, **more: wait(getattr(session, name)(*args, **more)),
                lambda trainer, tell: wait(follow(trainer, tell)),
                session.id,
            )
        )
    finally:
        wait(opened.__aexit__(None, None, None))
        wait(client.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


STYLES = {"sync": synchronous, "aio": asynchronous}


@dataclass
class TableRow:
    """What a training has told so far."""

    messages: list[cuvis_fleet.Progress] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [message.message for message in self.messages]


@contextmanager
def followed(steps: Steps, within_s: float) -> Iterator[TableRow]:
    """What a statistical training has told so far; all of it when the block has ended."""
    told = TableRow()
    failed: list[Exception] = []

    def follow() -> None:
        try:
            steps.follow("statistical", told.messages.append)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    yield told
    thread.join(within_s)
    assert not thread.is_alive()
    assert failed == []
