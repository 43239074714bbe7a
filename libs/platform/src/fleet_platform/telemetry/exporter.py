"""Sends spans to a collector, and says once when it is away and once when it is back."""

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
    """OTLP over gRPC without a log line for each batch that a missing collector costs."""

    def __init__(self, endpoint: str) -> None:
        """Prepare for one collector; nothing connects before the first batch.

        Args:
            endpoint: ``http://host:port`` or ``host:port`` in clear, ``https://...`` over TLS.
        """
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._endpoint = endpoint
        self._away = False
        self._otlp = OTLPSpanExporter(
            endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=_TIMEOUT_S
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch; a batch that cannot be sent within two seconds is dropped."""
        result = self._otlp.export(spans)
        away = result is not SpanExportResult.SUCCESS
        if away and not self._away:
            _log.warning("collector.away", endpoint=self._endpoint)
        elif self._away and not away:
            _log.info("collector.back", endpoint=self._endpoint)
        self._away = away
        return result

    def shutdown(self) -> None:
        """Close the connection; what is still being sent is given up."""
        self._otlp.shutdown()
