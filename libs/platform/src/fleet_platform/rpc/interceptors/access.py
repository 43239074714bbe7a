"""One log line and the metrics of each call."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Gauge, Histogram

from fleet_platform.rpc.interceptors.rpc import Rpc
from fleet_platform.rpc.status import outcome, text_of
from fleet_platform.telemetry import logger

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_log = logger("fleet.access")


class Access:
    """Counts and logs calls: at INFO, those of the infrastructure at DEBUG."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "fleet_rpc_seconds",
            "Time from start to end of a call, in seconds; its count is the number of calls.",
            ("method", "code"),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._running = Gauge(
            "fleet_rpc_running", "Calls that run now.", ("method",), registry=registry
        )
        self._waiting = Gauge(
            "fleet_rpc_waiting", "Calls that wait for a worker.", registry=registry
        )

    def watch_waiting(self, waiting: Callable[[], int]) -> None:
        """Let the gauge of waiting calls ask ``waiting``."""
        self._waiting.set_function(waiting)

    @contextmanager
    def around(self, rpc: Rpc) -> Iterator[None]:
        """Time one call."""
        running = self._running.labels(rpc.method)
        started_s = time.perf_counter()
        running.inc()
        try:
            yield
        finally:
            running.dec()
            elapsed_s = time.perf_counter() - started_s
            code = outcome(rpc.context).name
            self._seconds.labels(rpc.method, code).observe(elapsed_s)
            write = _log.debug if rpc.quiet else _log.info
            text = text_of(rpc.context)
            why = {"text": text} if text else {}
            write("call", method=rpc.method, code=code, ms=round(elapsed_s * 1000, 2), **why)
