"""A common interface to the synchronous and the asyncio client, so that tests cover both."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import cuvis_fleet
from cuvis_fleet import aio

Work = Callable[["OpenSession"], Any]


@dataclass
class OpenSession:
    """An open session of either client.

    Attributes:
        call: calls a method of the session by its name.
        follow: trains and passes each message to a function.
        session_id: id of the session.
    """

    call: Callable[..., Any]
    follow: Callable[[str, Callable[[cuvis_fleet.Progress], None]], None]
    session_id: str


def synchronous(address: str, work: Work, **connection: Any) -> Any:
    """Run `work` in a session of the synchronous client."""
    with cuvis_fleet.connect(address, **connection) as client, client.session() as session:

        def follow(trainer: str, on_progress: Callable[[cuvis_fleet.Progress], None]) -> None:
            for progress in session.train(trainer):
                on_progress(progress)

        return work(
            OpenSession(
                lambda name, *args, **more: getattr(session, name)(*args, **more),
                follow,
                session.id,
            )
        )


def asynchronous(address: str, work: Work, **connection: Any) -> Any:
    """Run `work` in a session of the asyncio client, whose event loop has a separate thread."""
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

    async def follow(trainer: str, on_progress: Callable[[cuvis_fleet.Progress], None]) -> None:
        async for progress in session.train(trainer):
            on_progress(progress)

    try:
        return work(
            OpenSession(
                lambda name, *args, **more: wait(getattr(session, name)(*args, **more)),
                lambda trainer, on_progress: wait(follow(trainer, on_progress)),
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
class Received:
    """The messages of a training so far."""

    messages: list[cuvis_fleet.Progress] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [message.message for message in self.messages]


@contextmanager
def followed(session: OpenSession, within_s: float) -> Iterator[Received]:
    """Follow a statistical training; all its messages are received at the end of the block."""
    received = Received()
    failed: list[Exception] = []

    def follow() -> None:
        try:
            session.follow("statistical", received.messages.append)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    yield received
    thread.join(within_s)
    assert not thread.is_alive()
    assert failed == []
