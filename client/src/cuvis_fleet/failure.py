"""What the transport says of a failed call, read once for all who decide on it."""

from dataclasses import dataclass
from typing import Any

import grpc

from cuvis_fleet.fields import fields

_TRACE_ID_KEY = "x-trace-id"
_PUSHBACK_KEY = "grpc-retry-pushback-ms"
_DETAILS_KEY = "grpc-status-details-bin"
_RETRY_AFTER_KEY = "retry-after"
_RETRY_INFO = b"type.googleapis.com/google.rpc.RetryInfo"
_NOT_CONNECTED = ("failed to connect", "connections to all backends failing", "DNS resolution")
_NOT_SENT = ("No healthy replica of the", "did not take the call")


@dataclass(frozen=True)
class Failure:
    """One attempt that failed.

    Attributes:
        code: the wire's status.
        text: what came with it.
        trace_id: as the server told; None: no server of this kind answered.
        wait_s: after which the server wants to be asked again; None: it said nothing.
    """

    code: grpc.StatusCode
    text: str
    trace_id: str | None
    wait_s: float | None

    @classmethod
    def of(cls, error: Any) -> "Failure":
        """Read an error of grpc's synchronous or asyncio calls."""
        code: grpc.StatusCode = error.code()
        told = {str(key): value for key, value in error.trailing_metadata() or ()}
        trace_id = told.get(_TRACE_ID_KEY)
        return cls(
            code=code,
            text=error.details() or code.name,
            trace_id=None if trace_id is None else str(trace_id),
            wait_s=_wait_s(told),
        )

    @property
    def is_unconnected(self) -> bool:
        """Whether there was no connection to send the call over."""
        return self.code is grpc.StatusCode.UNAVAILABLE and any(
            part in self.text for part in _NOT_CONNECTED
        )

    @property
    def is_unsent(self) -> bool:
        """Whether no service can have seen the call."""
        return self.is_unconnected or (
            self.code is grpc.StatusCode.UNAVAILABLE
            and any(part in self.text for part in _NOT_SENT)
        )

    @property
    def is_broken_off(self) -> bool:
        """Whether a connection or a part of the fleet went away under the call."""
        reset = self.code is grpc.StatusCode.INTERNAL and "RST_STREAM" in self.text
        removed = self.code is grpc.StatusCode.UNKNOWN and "Stream removed" in self.text
        return self.code is grpc.StatusCode.UNAVAILABLE or reset or removed


def _wait_s(told: dict[str, Any]) -> float | None:
    details = told.get(_DETAILS_KEY)
    if details is not None:
        wait_s = _retry_info_s(bytes(details))
        if wait_s is not None:
            return wait_s
    for key, per_s in ((_PUSHBACK_KEY, 1000.0), (_RETRY_AFTER_KEY, 1.0)):
        value = str(told.get(key, ""))
        if value.isdecimal():
            return int(value) / per_s
    return None


def _retry_info_s(status: bytes) -> float | None:
    """The delay of a ``google.rpc.RetryInfo`` in a ``google.rpc.Status``."""
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
