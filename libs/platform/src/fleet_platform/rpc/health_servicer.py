"""gRPC's health servicer, whose watchers do not hold up the end of the server."""

from collections.abc import Callable
from threading import Lock

import grpc
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

Send = Callable[[HealthCheckResponse | None], None]


class EndingHealthServicer(health.HealthServicer):  # type: ignore[misc] # has no stubs
    """Answers ``Check`` and ``Watch``; a watch ends with NOT_SERVING when the server stops.

    Left to itself a watch stays open until the watcher leaves, and the server would wait for it
    as for any other running call.
    """

    def __init__(self) -> None:
        super().__init__(experimental_non_blocking=True)
        self._open: set[_Watch] = set()
        self._open_lock = Lock()

    def Watch(  # noqa: N802 - the wire's name
        self,
        request: HealthCheckRequest,
        context: grpc.ServicerContext,
        send_response_callback: Send,
    ) -> None:
        """Send the status now and whenever it changes."""
        watch = _Watch(send_response_callback)
        with self._open_lock:
            self._open.add(watch)
        context.add_callback(lambda: self._forget(watch))
        super().Watch(request, context, watch)

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

    def end_watches(self) -> None:
        """End all watches that are open."""
        with self._open_lock:
            watches = list(self._open)
        for watch in watches:
            watch(None)

    def _forget(self, watch: "_Watch") -> None:
        with self._open_lock:
            self._open.discard(watch)


class _Watch:
    """Sends to one watcher; ends at most once."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._ended = False

    def __call__(self, response: HealthCheckResponse | None) -> None:
        if self._ended:
            return
        self._ended = response is None
        self._send(response)
