"""gRPC's health protocol, whose watchers hold up neither the server's end nor one another."""

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
"""Name under which a process says that it answers at all, whatever its dependencies do: an engine
that restarts processes by it leaves them alone while Redis is away."""


class DrainingHealthServicer:
    """Answers ``Check`` and ``Watch``; a watch ends with NOT_SERVING when the server stops.

    The servicer that comes with gRPC keeps a watch open until the watcher leaves, so the server
    would wait for it as for any other running call. It also sends under the lock that a watcher
    who leaves takes on the server's only thread, the one that a send waits for: a watcher who
    leaves while the status changes stops the server for good. Here that thread waits for nothing.
    """

    def __init__(self) -> None:
        self._statuses: dict[str, int] = {"": _SERVING, LIVENESS: _SERVING}
        self._ending = False
        # Held while messages are sent, so that all watchers see one order.
        self._changing = Lock()
        # Guards the set alone, and so is free for the thread of the server.
        self._open_lock = Lock()
        self._open: set[_Watch] = set()

    def Check(  # noqa: N802 - the wire's name
        self, request: HealthCheckRequest, context: grpc.ServicerContext
    ) -> HealthCheckResponse:
        """The status now; NOT_FOUND for a service that nobody set."""
        status = self._statuses.get(request.service)
        if status is None:
            context.set_code(grpc.StatusCode.NOT_FOUND)
            return HealthCheckResponse()
        return HealthCheckResponse(status=status)

    def Watch(  # noqa: N802 - the wire's name
        self,
        request: HealthCheckRequest,
        context: grpc.ServicerContext,
        send_response_callback: Send,
    ) -> None:
        """Send the status now and whenever it changes."""
        watch = _Watch(request.service, send_response_callback)
        with self._changing:
            with self._open_lock:
                self._open.add(watch)
            if not context.add_callback(lambda: self._forget(watch)):
                self._forget(watch)
                return
            watch.tell(self._statuses.get(request.service, _UNKNOWN))
            if self._ending:
                watch.end()

    # How gRPC is told that watches need no thread each.
    Watch.experimental_non_blocking = True  # type: ignore[attr-defined]
    Watch.experimental_thread_pool = None  # type: ignore[attr-defined]

    def set(self, service: str, status: int) -> None:
        """Answer ``status`` for ``service`` from now on, unless the server is stopping."""
        with self._changing:
            if not self._ending:
                self._change(service, status)

    def end(self) -> None:
        """NOT_SERVING for good, told to all watches, which then end."""
        with self._changing:
            self._ending = True
            for service in self._statuses:
                self._change(service, _NOT_SERVING)
            for watch in self._watches():
                watch.end()

    def handler(self) -> grpc.GenericRpcHandler:
        """The methods of this servicer as a handler that others may stand before."""
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
                watch.tell(status)

    def _watches(self) -> "list[_Watch]":
        with self._open_lock:
            return list(self._open)

    def _forget(self, watch: "_Watch") -> None:
        watch.end()
        with self._open_lock:
            self._open.discard(watch)


class _Watch:
    """Sends to one watcher; ends at most once."""

    def __init__(self, service: str, send: Send) -> None:
        self.service = service
        self._send = send
        self._ended = False

    def tell(self, status: int) -> None:
        """Send the status, unless the watch has ended."""
        if not self._ended:
            self._send(HealthCheckResponse(status=status))

    def end(self) -> None:
        """Send no more."""
        if not self._ended:
            self._ended = True
            self._send(None)
