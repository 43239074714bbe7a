"""What a behaviour may know of the call it answers."""

import grpc

from fleet_platform.errors import Cancelled, DeadlinePassed
from fleet_platform.telemetry import current_trace_id

# gRPC tells "no deadline" as one that lies centuries ahead.
_NO_DEADLINE_S = 10 * 365 * 24 * 3600.0


class Call:
    """One call, free of its transport: its trace, its deadline, and whether anybody still waits."""

    __slots__ = ("_context", "trace_id")

    trace_id: str
    """Trace id of this call, 32 hex digits; the caller sees the same one."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        self.trace_id = current_trace_id()

    @property
    def caller(self) -> str | None:
        """Address of the peer, which is the gateway when there is one; None when unknown."""
        return self._context.peer() or None

    def told(self, key: str) -> str | None:
        """What the caller sent along as metadata; None: nothing.

        Args:
            key: Of the metadata, in lower case. Several values of one key are joined by commas, as
                gateways do it.
        """
        metadata = self._context.invocation_metadata()
        values = [str(value) for name, value in metadata if name == key]
        return ",".join(values) if values else None

    def tell(self, key: str, value: str) -> None:
        """Send metadata ahead of the answer; once a call."""
        self._context.send_initial_metadata(((key, value),))

    def remaining_s(self) -> float | None:
        """Seconds left until the caller stops waiting; None without a deadline."""
        remaining_s = self._context.time_remaining()
        return None if remaining_s > _NO_DEADLINE_S else remaining_s

    def patience_s(self, most_s: float) -> float:
        """Seconds that this call may wait for something: those that are left, `most_s` at most."""
        return max(0.0, min(self._context.time_remaining(), most_s))

    def is_active(self) -> bool:
        """Whether the caller still waits: it has not left and its deadline has not passed."""
        return self._context.is_active() and self._context.time_remaining() > 0

    def check(self) -> None:
        """Stop work that nobody waits for any more.

        Raises:
            DeadlinePassed: the caller's deadline has passed.
            Cancelled: the caller has left.
        """
        if self._context.time_remaining() <= 0:
            raise DeadlinePassed("The deadline of the call has passed.")
        if not self._context.is_active():
            raise Cancelled("The caller has left.")
