"""Which server is called, and when a call is repeated; independent of the transport."""

import os
import time
from dataclasses import dataclass, field
from typing import Any

import grpc

from cuvis_fleet.errors import ERROR_OF_CODE, CuvisFleetError
from cuvis_fleet.operations.operation import Reply
from cuvis_fleet.transport.explanations import explained
from cuvis_fleet.transport.retry_policy import RetryPolicy
from cuvis_fleet.transport.rpc_failure import RpcFailure
from fleet_proto.methods import NOT_IDEMPOTENT

_CONFLICT_IS_FINAL = frozenset({"LoadPipelineWeights", "Train"})
"""Methods whose target has changed when they conflict, which their caller has to know."""

_EXPIRED_TIMEOUT_S = 0.001

Metadata = tuple[tuple[str, str], ...]


@dataclass
class CallPolicy:
    """A server and the rules for calls to it.

    Attributes:
        address: address of the server.
        secure: whether the connection uses TLS.
        timeout_s: limit for each call including its retries; None: no limit.
        retries: when calls are repeated; None: never.
        credentials: metadata that identifies the caller.
        was_reached: whether the server has ever answered. Until then a failed connection is
            reported immediately, since a wrong address is likelier than a restarting server.
    """

    address: str
    secure: bool
    timeout_s: float | None
    retries: RetryPolicy | None
    credentials: Metadata = ()
    was_reached: bool = field(default=False, compare=False)

    def attempts(self, method: str) -> "Attempts":
        """Return the attempts at one call; a stream has no deadline, as it may take any time."""
        return Attempts(self, method, None if method == "Train" else self.timeout_s)


class Attempts:
    """The attempts at one call, all of which belong to the same W3C trace."""

    def __init__(self, policy: CallPolicy, method: str, timeout_s: float | None) -> None:
        self._policy = policy
        self._method = method
        self._started_s = time.monotonic()
        self._deadline_s = None if timeout_s is None else self._started_s + timeout_s
        self._failures = 0
        self.trace_id = os.urandom(16).hex()

    @property
    def metadata(self) -> Metadata:
        """The metadata to send with the next attempt."""
        traceparent = f"00-{self.trace_id}-{os.urandom(8).hex()}-01"
        return (*self._policy.credentials, ("traceparent", traceparent))

    @property
    def timeout_s(self) -> float | None:
        """The time that is left for the next attempt; None: no limit."""
        if self._deadline_s is None:
            return None
        return max(_EXPIRED_TIMEOUT_S, self._deadline_s - time.monotonic())

    def reply(self, value: Any) -> Reply:
        """Return the reply, with the trace id that was sent, which the server continues."""
        self._policy.was_reached = True
        return Reply(value, self.trace_id)

    def restart(self) -> None:
        """Reset the failure count, because the call makes progress."""
        self._policy.was_reached = True
        self._started_s = time.monotonic()
        self._failures = 0

    def pause_s(self, error: grpc.RpcError) -> float:
        """Return how long to wait before the next attempt.

        Raises:
            CuvisFleetError: the call must not be repeated.
        """
        failure = RpcFailure.of(error)
        if failure.trace_id is not None:
            self._policy.was_reached = True
        self._failures += 1
        pause_s = self._next_pause_s(failure)
        if pause_s is None:
            raise self._error_from(failure) from error
        return pause_s

    def final_error(self, error: grpc.RpcError) -> CuvisFleetError:
        """Return the exception to raise for a call that is not repeated."""
        return self._error_from(RpcFailure.of(error))

    def _error_from(self, failure: RpcFailure) -> CuvisFleetError:
        kind = ERROR_OF_CODE.get(failure.code, CuvisFleetError)
        text = explained(failure, self._method, self._policy.address, secure=self._policy.secure)
        return kind(self._method, failure.code, text, failure.trace_id or self.trace_id)

    def _next_pause_s(self, failure: RpcFailure) -> float | None:
        retries = self._policy.retries
        if retries is None or not self._may_repeat(failure):
            return None
        pause_s = retries.pause_s(self._failures)
        if failure.retry_after_s is not None:
            pause_s += failure.retry_after_s
        starts_s = time.monotonic() + pause_s
        if starts_s > self._started_s + retries.within_s:
            return None
        if self._deadline_s is not None and starts_s >= self._deadline_s:
            return None
        return pause_s

    def _may_repeat(self, failure: RpcFailure) -> bool:
        if failure.is_unconnected and not self._policy.was_reached:
            return False
        if failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return failure.retry_after_s is not None
        if failure.code is grpc.StatusCode.ABORTED:
            return self._method not in _CONFLICT_IS_FINAL
        if self._method in NOT_IDEMPOTENT:
            return failure.is_unsent
        return failure.is_broken_off
