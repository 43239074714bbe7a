"""The HTTP endpoint that Prometheus scrapes."""

from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import start_http_server

from fleet_platform.telemetry.metric_registry import MetricRegistry


class MetricsEndpoint(NamedTuple):
    """A running endpoint.

    Attributes:
        port: its port; differs from the requested one if that was 0.
        stop: stops it.
    """

    port: int
    stop: Callable[[], None]


def serve_metrics(registry: MetricRegistry, host: str, port: int) -> MetricsEndpoint:
    """Serve ``/metrics`` from a thread.

    Raises:
        OSError: the port is in use.
    """
    server, thread = start_http_server(port, addr=host, registry=registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return MetricsEndpoint(server.server_port, stop)
