"""Calls on the wire: trace context out, typed exceptions back."""

import secrets
from collections.abc import Callable, Generator
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf.message import Message

from cuvis_fleet.errors import ERROR_OF_CODE, CuvisFleetError
from fleet_proto.methods import SERVICE_NAME

_TRACE_ID_KEY = "x-trace-id"
Response = TypeVar("Response")


class Calls:
    """Makes calls over one channel; may be used by several threads at once.

    Each call is a W3C trace of its own, which the server's spans join.
    """

    def __init__(
        self, channel: grpc.Channel, address: str, timeout_s: float | None, key: str | None = None
    ) -> None:
        self._channel = channel
        self._address = address
        self._timeout_s = timeout_s
        self._who = () if key is None else (("authorization", f"Bearer {key}"),)

    def unary(
        self, method: str, request: Message, decode: Callable[[bytes], Response]
    ) -> tuple[Response, str]:
        """Make a call with one answer; returns it and the call's trace id.

        Raises:
            CuvisFleetError: the call failed.
        """
        trace_id = _new_trace_id()
        call: Any = self._channel.unary_unary(
            f"/{SERVICE_NAME}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=decode,
        )
        try:
            response, ended = call.with_call(
                request, timeout=self._timeout_s, metadata=(*self._who, *_trace_context(trace_id))
            )
        except grpc.RpcError as error:
            self._fail(method, error, trace_id)
        return response, _told_trace_id(ended) or trace_id

    def stream(
        self, method: str, request: Message, decode: Callable[[bytes], Response]
    ) -> Generator[Response, None, None]:
        """Make a call with a stream of answers and no deadline; closing the iterator cancels it.

        Raises:
            CuvisFleetError: while iterating, the call failed.
        """
        trace_id = _new_trace_id()
        open_stream: Any = self._channel.unary_stream(
            f"/{SERVICE_NAME}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=decode,
        )
        running = open_stream(request, metadata=(*self._who, *_trace_context(trace_id)))
        try:
            yield from running
        except grpc.RpcError as error:
            self._fail(method, error, trace_id)
        finally:
            running.cancel()

    def _fail(self, method: str, error: Any, trace_id: str) -> NoReturn:
        code: grpc.StatusCode = error.code()
        text: str = error.details() or code.name
        told = _told_trace_id(error)
        if code is grpc.StatusCode.UNAVAILABLE and told is None:
            text = f"no server answers at {self._address}; is it running? ({text})"
        kind = ERROR_OF_CODE.get(code, CuvisFleetError)
        raise kind(method, code, text, told or trace_id) from error


def _new_trace_id() -> str:
    return secrets.token_hex(16)


def _trace_context(trace_id: str) -> tuple[tuple[str, str], ...]:
    return (("traceparent", f"00-{trace_id}-{secrets.token_hex(8)}-01"),)


def _told_trace_id(ended: Any) -> str | None:
    """The trace id that the server told at the end; None when no server of this kind answered."""
    for key, value in ended.trailing_metadata() or ():
        if key == _TRACE_ID_KEY:
            return str(value)
    return None
