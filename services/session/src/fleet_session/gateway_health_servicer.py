"""Implements ``grpc.health.v1.Health`` for the whole gateway.

The gateway marks health requests of clients with a header and routes them here. Requests without
that header are about this service alone and go to its own health servicer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from fleet_platform.errors import NotFound
from fleet_platform.rpc import connect
from fleet_platform.rpc.workers import WorkerPool, run_on
from fleet_session.gateway_health import GatewayHealth

_PREFIX = "/grpc.health.v1.Health/"
_GATEWAY_MARK = ("x-fleet-health", "gateway")
_SERVICE_HEADER = "x-fleet-service"
ASK_DEADLINE_S = 1.0
"""A service that takes longer to answer through the gateway counts as not serving."""

_WATCH_INTERVAL_S = 1.0

_MAX_CHECKS = 8
_MAX_PENDING_CHECKS = 256
_MAX_WATCHES = 64

Status = health_pb2.HealthCheckResponse
_CODEC = (health_pb2.HealthCheckRequest.FromString, Status.SerializeToString)


class UpstreamHealth:
    """Checks services through the gateway, on the same route as client calls."""

    def __init__(self, gateway_address: str, deadline_s: float = ASK_DEADLINE_S) -> None:
        self._channel = connect(gateway_address)
        self._deadline_s = deadline_s
        self._check = self._channel.unary_unary(
            f"{_PREFIX}Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=Status.FromString,
        )

    def ask_all(self, services: Iterable[str]) -> Mapping[str, bool]:
        """Check all services concurrently; one that misses the deadline counts as not serving."""
        asked = {
            service: self._check.future(
                health_pb2.HealthCheckRequest(),
                timeout=self._deadline_s,
                metadata=((_SERVICE_HEADER, service),),
            )
            for service in services
        }
        return {service: _is_serving(answer) for service, answer in asked.items()}

    def close(self) -> None:
        """Close the connection to the gateway."""
        self._channel.close()


class GatewayHealthHandler(grpc.GenericRpcHandler):
    """Handles the health requests that the gateway has marked, and no others.

    They run on separate threads, so that a service that hangs does not delay the other calls of the
    session service.
    """

    def __init__(self, health: GatewayHealth) -> None:
        self._health = health
        self._pools = [
            WorkerPool("gateway-health", _MAX_CHECKS, _MAX_PENDING_CHECKS),
            WorkerPool("gateway-watch", _MAX_WATCHES, pending=0),
        ]
        # `run_on` sets an attribute on the handler, which a bound method does not allow.
        check = run_on(self._pools[0], lambda request, _: self._check(request.service))
        watch = run_on(self._pools[1], lambda request, call: self._watch(request.service, call))
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            f"{_PREFIX}Check": grpc.unary_unary_rpc_method_handler(check, *_CODEC),
            f"{_PREFIX}Watch": grpc.unary_stream_rpc_method_handler(watch, *_CODEC),
        }

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return the handler of a marked health request, or None for any other request."""
        if _GATEWAY_MARK not in (handler_call_details.invocation_metadata or ()):
            return None
        return self._handlers.get(handler_call_details.method)

    def close(self) -> None:
        """Shut down the threads without waiting for them."""
        for pool in self._pools:
            pool.shutdown(wait=False)

    def _check(self, name: str) -> Any:
        status = self._status(name)
        if status == Status.SERVICE_UNKNOWN:
            raise NotFound(f"There is no service '{name[:80]}' behind this gateway.")
        return Status(status=status)

    def _watch(self, name: str, context: grpc.ServicerContext) -> Iterator[Any]:
        left = threading.Event()
        context.add_callback(left.set)
        sent = None
        while not left.is_set():
            status = self._status(name)
            if status != sent:
                yield Status(status=status)
                sent = status
            left.wait(_WATCH_INTERVAL_S)

    def _status(self, name: str) -> Any:
        serving = self._health.is_serving(name)
        if serving is None:
            return Status.SERVICE_UNKNOWN
        return Status.SERVING if serving else Status.NOT_SERVING


def _is_serving(answer: Any) -> bool:
    try:
        return bool(answer.result().status == Status.SERVING)
    except grpc.RpcError:
        return False
