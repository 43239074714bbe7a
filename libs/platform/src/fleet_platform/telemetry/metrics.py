"""Serves the metrics of a process to Prometheus."""

from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import start_http_server

from fleet_platform.telemetry.metric_registry import MetricRegistry


class ServedMetrics(NamedTuple):
    """Metrics that are served.

    Attributes:
        port: where, which is another one than was asked for where that was 0.
        stop: ends it.
    """

    port: int
    stop: Callable[[], None]


def serve_metrics(registry: MetricRegistry, host: str, port: int) -> ServedMetrics:
    """Serve ``/metrics`` from a thread.

    Raises:
        OSError: the port is taken.
    """
    server, thread = start_http_server(port, addr=host, registry=registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return ServedMetrics(server.server_port, stop)
