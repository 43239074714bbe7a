"""Puts the layers around every behaviour, equal for all four call types."""

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

Handler = grpc.RpcMethodHandler
_MAX_METHODS = 256


class Chain(grpc.ServerInterceptor):
    """``tracing > access > errors > identity > bound > behaviour``, built once for each method."""

    def __init__(self, access_log: AccessLog, caller_limit: PerCallerConcurrencyLimit) -> None:
        self._access_log = access_log
        self._caller_limit = caller_limit
        self._layered = lru_cache(maxsize=_MAX_METHODS)(self._wrap)

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Handler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler[Any, Any] | None:
        """Answer the method's handler with the layers around it."""
        handler = continuation(handler_call_details)
        return None if handler is None else self._layered(handler_call_details.method, handler)

    @contextmanager
    def _layers(self, info: MethodInfo) -> Iterator[None]:
        with (
            tracing(info),
            self._access_log.around(info),
            errors(info),
            identity(info) as caller,
            self._caller_limit.around(caller),
        ):
            yield

    def _wrap(self, path: str, handler: Handler[Any, Any]) -> Handler[Any, Any]:
        behaviour = behaviour_of(handler)
        if getattr(behaviour, "experimental_non_blocking", False):
            return handler  # it returns at once and answers later (grpc.health.v1.Health/Watch)

        def one(request: Any, context: grpc.ServicerContext) -> Any:
            with self._layers(MethodInfo(path, context)):
                return behaviour(request, context)

        def many(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with self._layers(MethodInfo(path, context)):
                yield from behaviour(request, context)

        wrapped = many if handler.response_streaming else one
        pool = pool_of(behaviour)
        if pool is not None:
            run_on(pool, wrapped)
        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[handler.request_streaming, handler.response_streaming]
        return make(
            wrapped,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def behaviour_of(handler: Handler[Any, Any]) -> Callable[..., Any]:
    """The one function of a handler that is set."""
    found = (
        handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    )
    if found is None:
        raise TypeError("A handler without a behaviour.")
    return found
