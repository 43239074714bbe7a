"""Rejects calls immediately when the workers and their queue are full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import grpc

from fleet_platform.errors import Exhausted
from fleet_platform.rpc.interceptors.chain import handler_of
from fleet_platform.rpc.workers import pool_of

_RETRY_AFTER_S = 1


class Admission(grpc.ServerInterceptor):
    """Limits the calls in each worker pool; calls on the server's own threads are not limited.

    gRPC runs this on its only serving thread, so that calls are admitted one at a time.
    """

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return the method's handler, or one that rejects the call."""
        method = continuation(handler_call_details)
        if method is None:
            return None
        pool = pool_of(handler_of(method))
        return _REJECTING if pool is not None and pool.full else method


def _reject(_requests: Iterator[bytes], _context: grpc.ServicerContext) -> NoReturn:
    raise Exhausted(
        f"The server is busy and its queue is full; try again in {_RETRY_AFTER_S} s.",
        retry_after_s=_RETRY_AFTER_S,
    )


# Only a handler reads a request stream, and this one does not: large messages are never received.
_REJECTING: grpc.RpcMethodHandler[Any, Any] = grpc.stream_unary_rpc_method_handler(_reject)
