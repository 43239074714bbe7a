"""Runs operations over an asyncio gRPC channel."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import grpc
import grpc.aio

from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.models.progress import Progress
from cuvis_fleet.operations.operation import Call, Operation, Reply, serialise
from cuvis_fleet.transport.call_policy import CallPolicy
from cuvis_fleet.transport.followed_training import FollowedTraining

Result = TypeVar("Result")


class AsyncOperationRunner:
    """Runs operations over one channel, on one event loop."""

    def __init__(self, channel: grpc.aio.Channel, policy: CallPolicy) -> None:
        self._channel = channel
        self._callables: dict[str, Any] = {}
        self.policy = policy

    async def run(self, operation: Operation[Result], *, in_thread: bool = False) -> Result:
        """Make the calls of an operation and retry each as the policy allows.

        Args:
            operation: the operation to run.
            in_thread: whether the work between its calls runs in a thread, because it takes long
                enough to block the event loop.

        Raises:
            CuvisFleetError: a call failed and the operation did not handle it.
        """
        advance = _advanced_in_thread if in_thread else _advanced_here
        try:
            call = await advance(lambda: next(operation))
            while isinstance(call, Call):
                try:
                    reply = await self._call(call)
                except CuvisFleetError as error:
                    call = await advance(partial(operation.throw, error))
                else:
                    call = await advance(partial(operation.send, reply))
            result: Result = call.result
            return result
        finally:
            operation.close()

    async def follow(self, training: FollowedTraining) -> AsyncGenerator[Progress, None]:
        """Follow a training across broken connections; yields each message once.

        Raises:
            CuvisFleetError: the training failed or can no longer be followed.
        """
        while True:
            attempt = training.attempt()
            stream = self._stream(attempt.call)(attempt.call.request, metadata=attempt.metadata)
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

    async def _call(self, call: Call) -> Reply:
        method = self._callables.get(call.path)
        if method is None:
            method = self._callables[call.path] = self._channel.unary_unary(
                call.path, request_serializer=serialise, response_deserializer=call.decode
            )
        attempts = self.policy.attempts(call.method)
        while True:
            try:
                value = await method(
                    call.request, timeout=attempts.timeout_s, metadata=attempts.metadata
                )
            except grpc.RpcError as error:
                await asyncio.sleep(attempts.pause_s(error))
            else:
                return attempts.reply(value)

    def _stream(self, call: Call) -> Any:
        method: Any = self._channel.unary_stream(
            call.path, request_serializer=serialise, response_deserializer=call.decode
        )
        return method


@dataclass(frozen=True)
class _Ended:
    """The result of an operation; ``StopIteration`` cannot leave a thread or a coroutine."""

    result: Any


def _advanced(advance: Callable[[], Call]) -> Call | _Ended:
    try:
        return advance()
    except StopIteration as ended:
        return _Ended(ended.value)


async def _advanced_here(advance: Callable[[], Call]) -> Call | _Ended:
    return _advanced(advance)


async def _advanced_in_thread(advance: Callable[[], Call]) -> Call | _Ended:
    running = asyncio.ensure_future(asyncio.to_thread(_advanced, advance))
    try:
        return await asyncio.shield(running)
    finally:
        # The operation can be closed only when no thread is running it, cancelled or not.
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
