"""Calls over a channel of grpc's threads."""

import time
from collections.abc import Generator
from typing import Any, TypeVar

import grpc

from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.followed_training import FollowedTraining
from cuvis_fleet.link import Link
from cuvis_fleet.progress import Progress
from cuvis_fleet.steps import Plan, Reply, Step, serialise

Result = TypeVar("Result")


class Calls:
    """Carries out plans over one channel; may be used by several threads at once."""

    def __init__(self, channel: grpc.Channel, link: Link) -> None:
        self._channel = channel
        self._callables: dict[str, Any] = {}
        self.link = link

    def run(self, plan: Plan[Result]) -> Result:
        """Make the calls of a plan, each with its repetitions.

        Raises:
            CuvisFleetError: a call failed and the plan does not do without it.
        """
        try:
            step = next(plan)
            while True:
                try:
                    reply = self._call(step)
                except CuvisFleetError as error:
                    step = plan.throw(error)
                else:
                    step = plan.send(reply)
        except StopIteration as ended:
            result: Result = ended.value
            return result
        finally:
            plan.close()

    def follow(self, training: FollowedTraining) -> Generator[Progress, None, None]:
        """Follow a training, however often the connection breaks; each message comes once.

        Raises:
            CuvisFleetError: it failed, or cannot be followed any more.
        """
        while True:
            attempt = training.attempt()
            stream = self._stream(attempt.step)(attempt.step.request, metadata=attempt.metadata)
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

    def _call(self, step: Step) -> Reply:
        call = self._callables.get(step.path)
        if call is None:
            call = self._callables[step.path] = self._channel.unary_unary(
                step.path, request_serializer=serialise, response_deserializer=step.decode
            )
        attempts = self.link.attempts(step.method)
        while True:
            try:
                value = call(step.request, timeout=attempts.timeout_s, metadata=attempts.metadata)
            except grpc.RpcError as error:
                time.sleep(attempts.pause_s(error))
            else:
                return attempts.reply(value)

    def _stream(self, step: Step) -> Any:
        call: Any = self._channel.unary_stream(
            step.path, request_serializer=serialise, response_deserializer=step.decode
        )
        return call
