"""gRPC's health protocol, with watches that delay neither the shutdown nor one another."""

from collections.abc import Callable
from threading import Lock

import grpc
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

Send = Callable[[HealthCheckResponse | None], None]

_SERVING = HealthCheckResponse.SERVING
_NOT_SERVING = HealthCheckResponse.NOT_SERVING
_UNKNOWN = HealthCheckResponse.SERVICE_UNKNOWN

LIVENESS = "liveness"
"""Service name for liveness probes. Its status ignores dependencies, so that a process is not
restarted because Redis is unavailable."""


class DrainingHealthServicer:
    """Answers ``Check`` and ``Watch``; a watch ends with NOT_SERVING when the server stops.

    The servicer of ``grpcio-health-checking`` keeps a watch open until the watcher cancels it, so
    that the server would wait for it as for any other running call. It also sends while it holds a
    lock that a cancelled watch acquires on the server's only thread, and the send waits for that
    thread: a watcher that cancels while the status changes deadlocks the server. Here that thread
    waits for nothing.
    """

    def __init__(self) -> None:
        self._statuses: dict[str, int] = {"": _SERVING, LIVENESS: _SERVING}
        self._ending = False
        # Held while messages are sent, so that all watchers receive them in the same order.
        self._changing = Lock()
        # Protects only the set, so that the server's thread never waits for a send.
        self._open_lock = Lock()
        self._open: set[_Watch] = set()

    def Check(  # noqa: N802 - the name on the wire
        self, request: HealthCheckRequest, context: grpc.ServicerContext
    ) -> HealthCheckResponse:
        """Return the current status; NOT_FOUND for an unknown service."""
        status = self._statuses.get(request.service)
        if status is None:
            context.set_code(grpc.StatusCode.NOT_FOUND)
            return HealthCheckResponse()
        return HealthCheckResponse(status=status)

    def Watch(  # noqa: N802 - the name on the wire
        self,
        request: HealthCheckRequest,
        context: grpc.ServicerContext,
        send_response_callback: Send,
    ) -> None:
        """Send the current status, and then every change."""
        watch = _Watch(request.service, send_response_callback)
        with self._changing:
            with self._open_lock:
                self._open.add(watch)
            if not context.add_callback(lambda: self._forget(watch)):
                self._forget(watch)
                return
            watch.send(self._statuses.get(request.service, _UNKNOWN))
            if self._ending:
                watch.end()

    # Marks the handler for gRPC as one that does not occupy a thread.
    Watch.experimental_non_blocking = True  # type: ignore[attr-defined]
    Watch.experimental_thread_pool = None  # type: ignore[attr-defined]

    def set(self, service: str, status: int) -> None:
        """Set the status of `service`, unless the server is stopping."""
        with self._changing:
            if not self._ending:
                self._change(service, status)

    def end(self) -> None:
        """Report NOT_SERVING permanently and end all watches."""
        with self._changing:
            self._ending = True
            for service in self._statuses:
                self._change(service, _NOT_SERVING)
            for watch in self._watches():
                watch.end()

    def handler(self) -> grpc.GenericRpcHandler:
        """Return the methods of this servicer as a generic handler."""
        decode = HealthCheckRequest.FromString
        encode = HealthCheckResponse.SerializeToString
        return grpc.method_handlers_generic_handler(
            health.SERVICE_NAME,
            {
                "Check": grpc.unary_unary_rpc_method_handler(self.Check, decode, encode),
                "Watch": grpc.unary_stream_rpc_method_handler(self.Watch, decode, encode),
            },
        )

    def _change(self, service: str, status: int) -> None:
        self._statuses[service] = status
        for watch in self._watches():
            if watch.service == service:
                watch.send(status)

    def _watches(self) -> "list[_Watch]":
        with self._open_lock:
            return list(self._open)

    def _forget(self, watch: "_Watch") -> None:
        watch.end()
        with self._open_lock:
            self._open.discard(watch)


class _Watch:
    """One open ``Watch`` call."""

    def __init__(self, service: str, send: Send) -> None:
        self.service = service
        self._send = send
        self._ended = False

    def send(self, status: int) -> None:
        """Send the status, unless the watch has ended."""
        if not self._ended:
            self._send(HealthCheckResponse(status=status))

    def end(self) -> None:
        """End the call, unless it has ended."""
        if not self._ended:
            self._ended = True
            self._send(None)
