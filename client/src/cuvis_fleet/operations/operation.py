"""Calls and operations as values, independent of any transport.

An operation decides what to call next; an operation runner makes the calls.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import Message

from fleet_proto.methods import SERVICE_NAME

Answer = TypeVar("Answer")
Response = TypeVar("Response", bound=Message)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Call:
    """A call to make.

    Attributes:
        path: path of the method, as ``/package.Service/Method``.
        request: the request message, or its serialised bytes.
        decode: decodes the response; always the same function for a method.
    """

    path: str
    request: Message | bytes
    decode: Callable[[bytes], Any]

    @property
    def method(self) -> str:
        """The method's name without its service."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Reply:
    """The reply to a call.

    Attributes:
        value: the decoded response.
        trace_id: identifies the call in the server's logs and traces.
    """

    value: Any
    trace_id: str


Operation = Generator[Call, Reply, Result]
"""One or more calls: yields each call, then receives its reply or its error."""


def method_path(method: str) -> str:
    """Return the path of a method of the service."""
    return f"/{SERVICE_NAME}/{method}"


def serialise(request: Message | bytes) -> bytes:
    """Return the bytes of a request."""
    return request if isinstance(request, bytes) else request.SerializeToString()


def unary_call(
    path: str, request: Message | bytes, decode: Callable[[bytes], Answer]
) -> Operation[Answer]:
    """Make one call and return its decoded response."""
    reply = yield Call(path, request, decode)
    answer: Answer = reply.value
    return answer


def call(method: str, request: Message, response: type[Response]) -> Operation[Response]:
    """Make one call to a method of the service and return its response message."""
    return unary_call(method_path(method), request, response.FromString)
