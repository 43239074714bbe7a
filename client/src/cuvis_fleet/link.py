"""How calls to one server are made, whatever transport carries them."""

import os
import time
from dataclasses import dataclass, field
from typing import Any

import grpc

from cuvis_fleet.errors import ERROR_OF_CODE, CuvisFleetError
from cuvis_fleet.explanations import explained
from cuvis_fleet.failure import Failure
from cuvis_fleet.retry_policy import RetryPolicy
from cuvis_fleet.steps import Reply

_NOT_TWICE = frozenset({"CreateSession", "CloseSession", "RestoreTrainRun", "ClearPluginCache"})
"""Doing these twice is not the same as doing them once."""

_CONFLICT_IS_TOLD = frozenset({"LoadPipelineWeights", "Train"})
"""What they would be done to has changed, which their caller has to know."""

_IGNORED_DEADLINE_S = 0.001

Metadata = tuple[tuple[str, str], ...]


@dataclass
class Link:
    """A server and the rules for calls to it.

    Attributes:
        address: where it is.
        secure: whether TLS is spoken.
        timeout_s: bound on each call with all its attempts; None: none.
        retries: None: every failure is told at once.
        who: metadata that says who calls.
        was_reached: whether it has ever answered; until then a failed connection is told at once,
            since a wrong address is likelier than a server that is about to come back.
    """

    address: str
    secure: bool
    timeout_s: float | None
    retries: RetryPolicy | None
    who: Metadata = ()
    was_reached: bool = field(default=False, compare=False)

    def attempts(self, method: str) -> "Attempts":
        """The attempts at one call; a stream, which may take any time, ignores the deadline."""
        return Attempts(self, method, None if method == "Train" else self.timeout_s)


class Attempts:
    """One call from its first attempt to its last; each is part of the same W3C trace."""

    def __init__(self, link: Link, method: str, timeout_s: float | None) -> None:
        self._link = link
        self._method = method
        self._began_s = time.monotonic()
        self._ends_s = None if timeout_s is None else self._began_s + timeout_s
        self._failures = 0
        self.trace_id = os.urandom(16).hex()

    @property
    def metadata(self) -> Metadata:
        """What is sent along."""
        traceparent = f"00-{self.trace_id}-{os.urandom(8).hex()}-01"
        return (*self._link.who, ("traceparent", traceparent))

    @property
    def timeout_s(self) -> float | None:
        """What is left for the next attempt; None: any time."""
        if self._ends_s is None:
            return None
        return max(_IGNORED_DEADLINE_S, self._ends_s - time.monotonic())

    def reply(self, value: Any) -> Reply:
        """What was answered, with the trace id that was sent, which a server goes on with."""
        self._link.was_reached = True
        return Reply(value, self.trace_id)

    def restart(self) -> None:
        """Begin to count anew: what was called answers, and is getting on."""
        self._link.was_reached = True
        self._began_s = time.monotonic()
        self._failures = 0

    def pause_s(self, error: grpc.RpcError) -> float:
        """How long to wait before the next attempt.

        Raises:
            CuvisFleetError: there shall be none.
        """
        failure = Failure.of(error)
        if failure.trace_id is not None:
            self._link.was_reached = True
        self._failures += 1
        pause_s = self._next_pause_s(failure)
        if pause_s is None:
            raise self._told(failure) from error
        return pause_s

    def final_error(self, error: grpc.RpcError) -> CuvisFleetError:
        """What the caller is told of a call that shall not be made again."""
        return self._told(Failure.of(error))

    def _told(self, failure: Failure) -> CuvisFleetError:
        kind = ERROR_OF_CODE.get(failure.code, CuvisFleetError)
        text = explained(failure, self._method, self._link.address, secure=self._link.secure)
        return kind(self._method, failure.code, text, failure.trace_id or self.trace_id)

    def _next_pause_s(self, failure: Failure) -> float | None:
        policy = self._link.retries
        if policy is None or not self._may_repeat(failure):
            return None
        pause_s = policy.pause_s(self._failures)
        if failure.wait_s is not None:
            pause_s += failure.wait_s
        starts_s = time.monotonic() + pause_s
        if starts_s > self._began_s + policy.within_s:
            return None
        if self._ends_s is not None and starts_s >= self._ends_s:
            return None
        return pause_s

    def _may_repeat(self, failure: Failure) -> bool:
        if failure.is_unconnected and not self._link.was_reached:
            return False
        if failure.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return failure.wait_s is not None
        if failure.code is grpc.StatusCode.ABORTED:
            return self._method not in _CONFLICT_IS_TOLD
        if self._method in _NOT_TWICE:
            return failure.is_unsent
        return failure.is_broken_off
