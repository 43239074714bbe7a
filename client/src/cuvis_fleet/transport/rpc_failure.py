"""A failed call attempt as the transport reports it."""

from dataclasses import dataclass
from typing import Any

import grpc

from fleet_proto.headers import RETRY_PUSHBACK, STATUS_DETAILS, TRACE_ID
from fleet_proto.wire import fields

_RETRY_AFTER_KEY = "retry-after"
_RETRY_INFO = b"type.googleapis.com/google.rpc.RetryInfo"
_NOT_CONNECTED = ("failed to connect", "connections to all backends failing", "DNS resolution")
_NOT_SENT = ("No healthy replica of the", "did not take the call")


@dataclass(frozen=True)
class RpcFailure:
    """A failed attempt at a call.

    Attributes:
        code: gRPC status code.
        text: the status message.
        trace_id: trace id reported by the server; None: no server of this kind answered.
        retry_after_s: delay that the server requests before a retry; None: not specified.
    """

    code: grpc.StatusCode
    text: str
    trace_id: str | None
    retry_after_s: float | None

    @classmethod
    def of(cls, error: Any) -> "RpcFailure":
        """Create a failure from an error of a synchronous or asyncio call."""
        code: grpc.StatusCode = error.code()
        metadata = {str(key): value for key, value in error.trailing_metadata() or ()}
        trace_id = metadata.get(TRACE_ID)
        return cls(
            code=code,
            text=error.details() or code.name,
            trace_id=None if trace_id is None else str(trace_id),
            retry_after_s=_retry_after_s(metadata),
        )

    @property
    def is_unconnected(self) -> bool:
        """Whether the call failed because there was no connection."""
        return self.code is grpc.StatusCode.UNAVAILABLE and any(
            part in self.text for part in _NOT_CONNECTED
        )

    @property
    def is_unsent(self) -> bool:
        """Whether the call cannot have reached a service."""
        return self.is_unconnected or (
            self.code is grpc.StatusCode.UNAVAILABLE
            and any(part in self.text for part in _NOT_SENT)
        )

    @property
    def is_broken_off(self) -> bool:
        """Whether a connection or a service was lost during the call."""
        reset = self.code is grpc.StatusCode.INTERNAL and "RST_STREAM" in self.text
        removed = self.code is grpc.StatusCode.UNKNOWN and "Stream removed" in self.text
        return self.code is grpc.StatusCode.UNAVAILABLE or reset or removed


def _retry_after_s(metadata: dict[str, Any]) -> float | None:
    details = metadata.get(STATUS_DETAILS)
    if details is not None:
        delay_s = _retry_info_s(bytes(details))
        if delay_s is not None:
            return delay_s
    for key, per_s in ((RETRY_PUSHBACK, 1000.0), (_RETRY_AFTER_KEY, 1.0)):
        value = str(metadata.get(key, ""))
        if value.isdecimal():
            return int(value) / per_s
    return None


def _retry_info_s(status: bytes) -> float | None:
    """Return the delay of a ``google.rpc.RetryInfo`` in a ``google.rpc.Status``."""
    try:
        for number, detail, _ in fields(memoryview(status)):
            if number != 3:
                continue
            parts = {part: value for part, value, _ in fields(detail)}
            if bytes(parts.get(1, b"")) == _RETRY_INFO:
                return _duration_s(parts.get(2, memoryview(b"")))
    except ValueError:
        return None
    return None


def _duration_s(retry_info: memoryview) -> float:
    from google.protobuf.duration_pb2 import Duration

    for number, delay, _ in fields(retry_info):
        if number == 1:
            return max(0.0, Duration.FromString(bytes(delay)).ToTimedelta().total_seconds())
    return 0.0
