"""Calls as values: what is asked is decided here and in the plans, apart from any transport."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import Message

from fleet_proto.methods import SERVICE_NAME

Answer = TypeVar("Answer")
Response = TypeVar("Response", bound=Message)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Step:
    """One call to make.

    Attributes:
        path: of the method, as ``/package.Service/Method``.
        request: the message, or one that is serialised already.
        decode: reads the answer; always the same for a method.
    """

    path: str
    request: Message | bytes
    decode: Callable[[bytes], Any]

    @property
    def method(self) -> str:
        """Name of the method alone."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Reply:
    """What a step was answered.

    Attributes:
        value: the decoded answer.
        trace_id: under which the server's logs and traces have the call.
    """

    value: Any
    trace_id: str


Plan = Generator[Step, Reply, Result]
"""An operation of one or more calls: yields each, is sent its reply, or has its error thrown in."""


def path_of(method: str) -> str:
    """The path of a method of the service."""
    return f"/{SERVICE_NAME}/{method}"


def serialise(request: Message | bytes) -> bytes:
    """The bytes of a request."""
    return request if isinstance(request, bytes) else request.SerializeToString()


def ask(path: str, request: Message | bytes, decode: Callable[[bytes], Answer]) -> Plan[Answer]:
    """Make one call and return its decoded answer."""
    reply = yield Step(path, request, decode)
    answer: Answer = reply.value
    return answer


def call(method: str, request: Message, response: type[Response]) -> Plan[Response]:
    """Make one call of the service and return the message that answers it."""
    return ask(path_of(method), request, response.FromString)
