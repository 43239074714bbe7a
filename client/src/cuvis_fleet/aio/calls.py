"""Calls over a channel of grpc's asyncio."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import grpc
import grpc.aio

from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.followed_training import FollowedTraining
from cuvis_fleet.link import Link
from cuvis_fleet.progress import Progress
from cuvis_fleet.steps import Plan, Reply, Step, serialise

Result = TypeVar("Result")


class AsyncCalls:
    """Carries out plans over one channel, of one event loop."""

    def __init__(self, channel: grpc.aio.Channel, link: Link) -> None:
        self._channel = channel
        self._callables: dict[str, Any] = {}
        self.link = link

    async def run(self, plan: Plan[Result], *, in_thread: bool = False) -> Result:
        """Make the calls of a plan, each with its repetitions.

        Args:
            plan: what to do.
            in_thread: whether the plan takes long between its calls, and would hold up the loop.

        Raises:
            CuvisFleetError: a call failed and the plan does not do without it.
        """
        advance = _advanced_in_thread if in_thread else _advanced_here
        try:
            step = await advance(lambda: next(plan))
            while isinstance(step, Step):
                try:
                    reply = await self._call(step)
                except CuvisFleetError as error:
                    step = await advance(partial(plan.throw, error))
                else:
                    step = await advance(partial(plan.send, reply))
            result: Result = step.result
            return result
        finally:
            plan.close()

    async def follow(self, training: FollowedTraining) -> AsyncGenerator[Progress, None]:
        """Follow a training, however often the connection breaks; each message comes once.

        Raises:
            CuvisFleetError: it failed, or cannot be followed any more.
        """
        while True:
            attempt = training.attempt()
            stream = self._stream(attempt.step)(attempt.step.request, metadata=attempt.metadata)
            try:
                async for message in stream:
                    if training.is_new(message, await stream.initial_metadata()):
                        yield Progress.from_wire(message)
            except grpc.RpcError as error:
                pause_s = training.pause_s(error)
            else:
                return
            finally:
                stream.cancel()
            if pause_s is None:
                return
            await asyncio.sleep(pause_s)

    async def _call(self, step: Step) -> Reply:
        call = self._callables.get(step.path)
        if call is None:
            call = self._callables[step.path] = self._channel.unary_unary(
                step.path, request_serializer=serialise, response_deserializer=step.decode
            )
        attempts = self.link.attempts(step.method)
        while True:
            try:
                value = await call(
                    step.request, timeout=attempts.timeout_s, metadata=attempts.metadata
                )
            except grpc.RpcError as error:
                await asyncio.sleep(attempts.pause_s(error))
            else:
                return attempts.reply(value)

    def _stream(self, step: Step) -> Any:
        call: Any = self._channel.unary_stream(
            step.path, request_serializer=serialise, response_deserializer=step.decode
        )
        return call


@dataclass(frozen=True)
class _Ended:
    """The end of a plan; what ends a generator cannot leave a thread or a coroutine."""

    result: Any


def _advanced(move: Callable[[], Step]) -> Step | _Ended:
    try:
        return move()
    except StopIteration as ended:
        return _Ended(ended.value)


async def _advanced_here(move: Callable[[], Step]) -> Step | _Ended:
    return _advanced(move)


async def _advanced_in_thread(move: Callable[[], Step]) -> Step | _Ended:
    running = asyncio.ensure_future(asyncio.to_thread(_advanced, move))
    try:
        return await asyncio.shield(running)
    finally:
        # The plan can clean up behind itself once no thread is in it, cancelled or not.
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
