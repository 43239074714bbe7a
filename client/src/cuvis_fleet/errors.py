"""What goes wrong, as exceptions.

::

    CuvisFleetError
    ├── InvalidInput      something that was sent is malformed, missing or does not fit
    │   └── WrongArgument an argument is; nothing was sent. It is a ValueError too
    ├── NotFound          the session (unknown or expired) or the file does not exist
    ├── OutOfOrder        another call has to be made first
    ├── Exhausted         too large, too much at once, or no memory or space left
    ├── NotAllowed        the server does not know who calls, or does not let them in
    ├── Conflict          somebody else changed the same session at the same time; try again
    ├── Unavailable       no server answers, or it cannot reach its stores; try again
    ├── TimedOut          no answer within the time that was allowed
    ├── Cancelled         the call was cancelled
    ├── NotImplementedYet the server does not have the method
    └── ServerDefect      an error of the server; its log has it under the trace id
"""

import grpc


class CuvisFleetError(Exception):
    """A call that failed.

    Attributes:
        method: name of the call, such as ``Inference``; empty: none was made.
        code: the wire's status.
        text: what is wrong and what would be right, in the server's words.
        trace_id: under which the server's logs and traces have the call, 32 hex digits; empty: they
            have none.
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
    """Something that was sent is malformed, missing or does not fit."""


class WrongArgument(InvalidInput, ValueError):
    """An argument is malformed or does not fit; this was found out here, and nothing was sent."""

    def __init__(self, text: str) -> None:
        super().__init__("", grpc.StatusCode.INVALID_ARGUMENT, text, "")
        self.args = (text,)  # what makes it anew, as pickle does

    def __str__(self) -> str:
        return self.text


class NotFound(CuvisFleetError):
    """The session (unknown or expired) or the file does not exist."""


class OutOfOrder(CuvisFleetError):
    """Another call has to be made first; the text names it."""


class Exhausted(CuvisFleetError):
    """Too large, too much at once, or no memory or space left."""


class NotAllowed(CuvisFleetError):
    """The server does not know who calls, or does not let them in."""


class Conflict(CuvisFleetError):
    """Somebody else changed the same session at the same time; the call may be repeated."""


class Unavailable(CuvisFleetError):
    """No server answers, or it cannot reach its stores; the call may be repeated."""


class TimedOut(CuvisFleetError):
    """No answer came within the time that was allowed."""


class Cancelled(CuvisFleetError):
    """The call was cancelled."""


class NotImplementedYet(CuvisFleetError):
    """The server lacks the method, or a program that it takes."""


class ServerDefect(CuvisFleetError):
    """An error of the server; its log has it under the trace id."""


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
    grpc.StatusCode.UNIMPLEMENTED: NotImplementedYet,
    grpc.StatusCode.INTERNAL: ServerDefect,
    grpc.StatusCode.UNKNOWN: ServerDefect,
    grpc.StatusCode.DATA_LOSS: ServerDefect,
}
"""The exception of each failing status; those not listed are a plain `CuvisFleetError`."""
