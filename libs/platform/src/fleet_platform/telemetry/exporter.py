"""Exports spans to a collector, and logs once when it becomes unavailable or available again."""

import logging
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from fleet_platform.telemetry.logs import logger

_log = logger("fleet.telemetry")
_TIMEOUT_S = 2.0
_NOISY = ("opentelemetry.exporter.otlp", "opentelemetry.sdk._shared_internal")


class QuietOtlpExporter(SpanExporter):
    """OTLP over gRPC without a log line for each batch that cannot be sent."""

    def __init__(self, endpoint: str) -> None:
        """Create an exporter for one collector; it connects when it sends the first batch.

        Args:
            endpoint: ``http://host:port`` or ``host:port`` for plaintext, ``https://...`` for TLS.
        """
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._endpoint = endpoint
        self._unavailable = False
        self._otlp = OTLPSpanExporter(
            endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=_TIMEOUT_S
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch; drop it if it cannot be sent within two seconds."""
        result = self._otlp.export(spans)
        unavailable = result is not SpanExportResult.SUCCESS
        if unavailable and not self._unavailable:
            _log.warning("collector.unavailable", endpoint=self._endpoint)
        elif self._unavailable and not unavailable:
            _log.info("collector.available", endpoint=self._endpoint)
        self._unavailable = unavailable
        return result

    def shutdown(self) -> None:
        """Close the connection; batches that are still being sent are lost."""
        self._otlp.shutdown()
