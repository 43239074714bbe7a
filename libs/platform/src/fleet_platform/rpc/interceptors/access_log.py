"""One log line per call, and its metrics."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from fleet_platform.rpc.interceptors.method_info import MethodInfo
from fleet_platform.rpc.status import outcome, text_of
from fleet_platform.telemetry import MetricRegistry, exemplar, logger
from fleet_platform.telemetry.catalogue import metrics

_log = logger("fleet.access")


class AccessLog:
    """Counts and logs calls: at level INFO, or DEBUG for health checks and reflection."""

    def __init__(self, registry: MetricRegistry) -> None:
        self._seconds = registry.histogram(metrics.RPC_SECONDS)
        self._running = registry.gauge(metrics.RPC_RUNNING)

    @contextmanager
    def around(self, info: MethodInfo) -> Iterator[None]:
        """Time and log one call."""
        running = self._running.labels(info.method)
        started_s = time.perf_counter()
        running.inc()
        try:
            yield
        finally:
            running.dec()
            elapsed_s = time.perf_counter() - started_s
            code = outcome(info.context).name
            self._seconds.labels(info.method, code).observe(elapsed_s, exemplar())
            write = _log.debug if info.quiet else _log.info
            text = text_of(info.context)
            details = {"text": text} if text else {}
            write("call", method=info.method, code=code, ms=round(elapsed_s * 1000, 2), **details)
