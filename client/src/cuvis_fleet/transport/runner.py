"""Runs operations over a synchronous gRPC channel."""

import time
from collections.abc import Generator
from typing import Any, TypeVar

import grpc

from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.models.progress import Progress
from cuvis_fleet.operations.operation import Call, Operation, Reply, serialise
from cuvis_fleet.transport.call_policy import CallPolicy
from cuvis_fleet.transport.followed_training import FollowedTraining

Result = TypeVar("Result")


class OperationRunner:
    """Runs operations over one channel; thread-safe."""

    def __init__(self, channel: grpc.Channel, policy: CallPolicy) -> None:
        self._channel = channel
        self._callables: dict[str, Any] = {}
        self.policy = policy

    def run(self, operation: Operation[Result]) -> Result:
        """Make the calls of an operation and retry each as the policy allows.

        Raises:
            CuvisFleetError: a call failed and the operation did not handle it.
        """
        try:
            call = next(operation)
            while True:
                try:
                    reply = self._call(call)
                except CuvisFleetError as error:
                    call = operation.throw(error)
                else:
                    call = operation.send(reply)
        except StopIteration as ended:
            result: Result = ended.value
            return result
        finally:
            operation.close()

    def follow(self, training: FollowedTraining) -> Generator[Progress, None, None]:
        """Follow a training across broken connections; yields each message once.

        Raises:
            CuvisFleetError: the training failed or can no longer be followed.
        """
        while True:
            attempt = training.attempt()
            stream = self._stream(attempt.call)(attempt.call.request, metadata=attempt.metadata)
            try:
                for message in stream:
                    if training.is_new(message, stream.initial_metadata()):
                        yield Progress.from_wire(message)
            except grpc.RpcError as error:
                pause_s = training.pause_s(error)
            else:
                return
            finally:
                stream.cancel()
            if pause_s is None:
                return
            time.sleep(pause_s)

    def _call(self, call: Call) -> Reply:
        method = self._callables.get(call.path)
        if method is None:
            method = self._callables[call.path] = self._channel.unary_unary(
                call.path, request_serializer=serialise, response_deserializer=call.decode
            )
        attempts = self.policy.attempts(call.method)
        while True:
            try:
                value = method(call.request, timeout=attempts.timeout_s, metadata=attempts.metadata)
            except grpc.RpcError as error:
                time.sleep(attempts.pause_s(error))
            else:
                return attempts.reply(value)

    def _stream(self, call: Call) -> Any:
        method: Any = self._channel.unary_stream(
            call.path, request_serializer=serialise, response_deserializer=call.decode
        )
        return method
