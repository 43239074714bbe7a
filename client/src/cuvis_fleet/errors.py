"""The exceptions of the client library.

::

    CuvisFleetError
    ├── InvalidInput      part of the request is malformed, missing or inconsistent
    │   └── WrongArgument an argument is invalid and nothing was sent; also a ValueError
    ├── NotFound          the session (unknown or expired) or the file does not exist
    ├── OutOfOrder        another call must be made first
    ├── Exhausted         the request is too large, a limit is reached, or memory or disk is full
    ├── NotAllowed        the caller is not authenticated or not authorized
    ├── Conflict          another caller changed the same session concurrently; retry
    ├── Unavailable       no server answers, or it cannot reach its stores; retry
    ├── TimedOut          the deadline passed
    ├── Cancelled         the call was cancelled
    ├── Unimplemented     the server does not implement the method
    └── ServerDefect      an internal error of the server; the trace id finds it in the logs
"""

import grpc


class CuvisFleetError(Exception):
    """A call that failed.

    Attributes:
        method: name of the called method, such as ``Inference``; empty: no call was made.
        code: gRPC status code.
        text: the problem and its remedy, as reported by the server.
        trace_id: identifies the call in the server's logs and traces, 32 hex digits; empty: no call
            was made.
    """

    def __init__(self, method: str, code: grpc.StatusCode, text: str, trace_id: str) -> None:
        super().__init__(method, code, text, trace_id)
        self.method = method
        self.code = code
        self.text = text
        self.trace_id = trace_id

    def __str__(self) -> str:
        trace = f", trace id {self.trace_id}" if self.trace_id else ""
        return f"{self.method}: {self.text} ({self.code.name}{trace})"


class InvalidInput(CuvisFleetError):
    """Part of the request is malformed, missing or inconsistent."""


class WrongArgument(InvalidInput, ValueError):
    """An argument is malformed or inconsistent; found by the client, so nothing was sent."""

    def __init__(self, text: str) -> None:
        super().__init__("", grpc.StatusCode.INVALID_ARGUMENT, text, "")
        self.args = (text,)  # the constructor's arguments, for pickle

    def __str__(self) -> str:
        return self.text


class NotFound(CuvisFleetError):
    """The session (unknown or expired) or the file does not exist."""


class OutOfOrder(CuvisFleetError):
    """Another call must be made first; the text names it."""


class Exhausted(CuvisFleetError):
    """The request is too large, a limit is reached, or memory or disk is full."""


class NotAllowed(CuvisFleetError):
    """The caller is not authenticated or not authorized."""


class Conflict(CuvisFleetError):
    """Another caller changed the same session concurrently; the call may be repeated."""


class Unavailable(CuvisFleetError):
    """No server answers, or it cannot reach its stores; the call may be repeated."""


class TimedOut(CuvisFleetError):
    """The deadline passed before the server answered."""


class Cancelled(CuvisFleetError):
    """The call was cancelled."""


class Unimplemented(CuvisFleetError):
    """The server does not implement the method, or lacks a program that it needs."""


class ServerDefect(CuvisFleetError):
    """An internal error of the server; the trace id finds it in the server's logs."""


ERROR_OF_CODE: dict[grpc.StatusCode, type[CuvisFleetError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.OUT_OF_RANGE: InvalidInput,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.FAILED_PRECONDITION: OutOfOrder,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Exhausted,
    grpc.StatusCode.UNAUTHENTICATED: NotAllowed,
    grpc.StatusCode.PERMISSION_DENIED: NotAllowed,
    grpc.StatusCode.ABORTED: Conflict,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: TimedOut,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
    grpc.StatusCode.INTERNAL: ServerDefect,
    grpc.StatusCode.UNKNOWN: ServerDefect,
    grpc.StatusCode.DATA_LOSS: ServerDefect,
}
"""The exception for each status code; other codes raise a plain `CuvisFleetError`."""
