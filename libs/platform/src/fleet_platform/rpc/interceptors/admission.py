"""Turns calls away at once when too many run and wait already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import grpc

from fleet_platform.errors import Exhausted
from fleet_platform.rpc.interceptors.chain import handler_of
from fleet_platform.rpc.workers import pool_of

_RETRY_AFTER_S = 1


class Admission(grpc.ServerInterceptor):
    """Bounds the calls of each worker pool; what runs on the server's own threads is let through.

    gRPC asks this from its one serving thread, so no two calls pass at the same time.
    """

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Answer the method's handler, or one that turns the call away."""
        method = continuation(handler_call_details)
        if method is None:
            return None
        pool = pool_of(handler_of(method))
        return _TURN_AWAY if pool is not None and pool.full else method


def _turn_away(_requests: Iterator[bytes], _context: grpc.ServicerContext) -> NoReturn:
    raise Exhausted(
        f"The server is busy and its queue is full; try again in {_RETRY_AFTER_S} s.",
        retry_after_s=_RETRY_AFTER_S,
    )


# A request stream is not read before it is asked for: a large message is never received in vain.
_TURN_AWAY: grpc.RpcMethodHandler[Any, Any] = grpc.stream_unary_rpc_method_handler(_turn_away)
