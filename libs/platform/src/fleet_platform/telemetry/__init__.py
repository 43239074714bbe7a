"""Traces, logs and metrics: how one call is followed through the fleet.

Spans are always made, so that a trace id always exists; they leave the process only when an OTLP
endpoint is set. Every log line written inside a span carries its ids. What spans and metrics there
are is written down in `registry`.
"""

from fleet_platform.telemetry.logs import configure_logs, logger
from fleet_platform.telemetry.metric_registry import MetricRegistry
from fleet_platform.telemetry.metrics import serve_metrics
from fleet_platform.telemetry.setup import Telemetry, configure_telemetry
from fleet_platform.telemetry.traces import (
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
