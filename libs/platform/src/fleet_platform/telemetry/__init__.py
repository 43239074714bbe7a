"""Traces, logs and metrics.

Spans are always created, so that a trace id always exists; they are exported only if an OTLP
endpoint is set. Every log line inside a span contains the span's ids. The `catalogue` declares all
spans and metrics.
"""

from fleet_platform.telemetry.logs import configure_logs, logger
from fleet_platform.telemetry.metric_registry import MetricRegistry
from fleet_platform.telemetry.metrics_endpoint import serve_metrics
from fleet_platform.telemetry.setup import Telemetry, configure_telemetry
from fleet_platform.telemetry.spans import (
    current_trace_id,
    current_traceparent,
    exemplar,
    span_from_traceparent,
    tracer,
)

__all__ = [
    "MetricRegistry",
    "Telemetry",
    "configure_logs",
    "configure_telemetry",
    "current_trace_id",
    "current_traceparent",
    "exemplar",
    "logger",
    "serve_metrics",
    "span_from_traceparent",
    "tracer",
]
