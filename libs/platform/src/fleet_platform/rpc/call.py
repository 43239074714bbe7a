"""The view that a handler has of its RPC."""

import grpc

from fleet_platform.errors import Cancelled, DeadlinePassed
from fleet_platform.telemetry import current_trace_id

# gRPC reports "no deadline" as one that is centuries away.
_NO_DEADLINE_S = 10 * 365 * 24 * 3600.0


class Call:
    """One RPC, independent of its transport: trace, deadline, metadata and cancellation."""

    __slots__ = ("_context", "trace_id")

    trace_id: str
    """Trace id of this call, 32 hex digits; the caller sees the same one."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        self.trace_id = current_trace_id()

    @property
    def caller(self) -> str | None:
        """Address of the peer, which is the gateway if there is one; None if unknown."""
        return self._context.peer() or None

    def metadata(self, key: str) -> str | None:
        """Return the request metadata value for `key`, or None.

        Args:
            key: Metadata key in lower case. Several values of one key are joined by commas, as
                gateways do.
        """
        metadata = self._context.invocation_metadata()
        values = [str(value) for name, value in metadata if name == key]
        return ",".join(values) if values else None

    def send_initial_metadata(self, key: str, value: str) -> None:
        """Send initial metadata. May be called only once."""
        self._context.send_initial_metadata(((key, value),))

    def remaining_s(self) -> float | None:
        """Return the seconds until the deadline, or None if the call has no deadline."""
        remaining_s = self._context.time_remaining()
        return None if remaining_s > _NO_DEADLINE_S else remaining_s

    def max_wait_s(self, limit_s: float) -> float:
        """Return how long this call may block: until its deadline, but at most `limit_s`."""
        return max(0.0, min(self._context.time_remaining(), limit_s))

    def is_active(self) -> bool:
        """Return whether the call has neither been cancelled nor passed its deadline."""
        return self._context.is_active() and self._context.time_remaining() > 0

    def check(self) -> None:
        """Raise if the call was cancelled or its deadline has passed.

        Raises:
            DeadlinePassed: the caller's deadline has passed.
            Cancelled: the caller has left.
        """
        if self._context.time_remaining() <= 0:
            raise DeadlinePassed("The deadline of the call has passed.")
        if not self._context.is_active():
            raise Cancelled("The caller has left.")
