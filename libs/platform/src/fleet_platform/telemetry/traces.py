"""Spans and the W3C trace context that ties them together across processes."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_W3C = TraceContextTextMapPropagator()


def tracer(name: str) -> trace.Tracer:
    """The tracer of one room, such as ``fleet.engine``; may be made before telemetry is set up."""
    return trace.get_tracer(name)


def current_trace_id() -> str:
    """Trace id of the current span, 32 hex digits; all zeros outside any span."""
    return trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)


def current_traceparent() -> str:
    """The current span as a W3C ``traceparent``; empty outside any span."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def span_from_traceparent(
    name: str, traceparent: str, tracer_name: str = "fleet"
) -> Iterator[trace.Span]:
    """Open a span below one of another process.

    Args:
        name: Name of the new span.
        traceparent: W3C ``traceparent``; empty or malformed starts a trace of its own.
        tracer_name: Room that the span belongs to.
    """
    parent = _W3C.extract({"traceparent": traceparent})
    with tracer(tracer_name).start_as_current_span(name, context=parent) as span:
        yield span


def exemplar() -> dict[str, str] | None:
    """The present trace as an exemplar of a histogram; None while it is not recorded."""
    context = trace.get_current_span().get_span_context()
    if not context.trace_flags.sampled:
        return None
    return {"trace_id": trace.format_trace_id(context.trace_id)}
