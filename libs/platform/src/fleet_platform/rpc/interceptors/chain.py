"""Wraps every handler in the interceptors, in the same way for all four call types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import grpc

from fleet_platform.rpc.interceptors.access_log import AccessLog
from fleet_platform.rpc.interceptors.concurrency_limit import PerCallerConcurrencyLimit
from fleet_platform.rpc.interceptors.errors import errors
from fleet_platform.rpc.interceptors.identity import identity
from fleet_platform.rpc.interceptors.method_info import MethodInfo
from fleet_platform.rpc.interceptors.tracing import tracing
from fleet_platform.rpc.workers import pool_of, run_on

_MAX_METHODS = 256


class Chain(grpc.ServerInterceptor):
    """``tracing > access log > errors > identity > concurrency limit > handler``.

    The chain of a method is built once.
    """

    def __init__(self, access_log: AccessLog, caller_limit: PerCallerConcurrencyLimit) -> None:
        self._access_log = access_log
        self._caller_limit = caller_limit
        self._wrapped = lru_cache(maxsize=_MAX_METHODS)(self._wrap)

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return the method's handler, wrapped in the interceptors."""
        method = continuation(handler_call_details)
        return None if method is None else self._wrapped(handler_call_details.method, method)

    @contextmanager
    def _intercepted(self, info: MethodInfo) -> Iterator[None]:
        with (
            tracing(info),
            self._access_log.around(info),
            errors(info),
            identity(info) as caller,
            self._caller_limit.around(caller),
        ):
            yield

    def _wrap(
        self, path: str, method: grpc.RpcMethodHandler[Any, Any]
    ) -> grpc.RpcMethodHandler[Any, Any]:
        handler = handler_of(method)
        if getattr(handler, "experimental_non_blocking", False):
            return method  # it returns at once and answers later (grpc.health.v1.Health/Watch)

        def one(request: Any, context: grpc.ServicerContext) -> Any:
            with self._intercepted(MethodInfo(path, context)):
                return handler(request, context)

        def many(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with self._intercepted(MethodInfo(path, context)):
                yield from handler(request, context)

        wrapped = many if method.response_streaming else one
        pool = pool_of(handler)
        if pool is not None:
            run_on(pool, wrapped)
        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[method.request_streaming, method.response_streaming]
        return make(
            wrapped,
            request_deserializer=method.request_deserializer,
            response_serializer=method.response_serializer,
        )


def handler_of(method: grpc.RpcMethodHandler[Any, Any]) -> Callable[..., Any]:
    """Return the function of gRPC's method handler, whatever the method's call type."""
    found = method.unary_unary or method.unary_stream or method.stream_unary or method.stream_stream
    if found is None:
        raise TypeError("A gRPC method handler without a function.")
    return found
