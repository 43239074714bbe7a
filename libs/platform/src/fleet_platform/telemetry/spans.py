"""Spans, and the W3C trace context that connects them across processes."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_W3C = TraceContextTextMapPropagator()


def tracer(name: str) -> trace.Tracer:
    """Return a tracer named after a package, such as ``fleet.engine``, even before the set-up."""
    return trace.get_tracer(name)


def current_trace_id() -> str:
    """Return the trace id of the current span, 32 hex digits; all zeros outside any span."""
    return trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)


def current_traceparent() -> str:
    """Return the current span as a W3C ``traceparent``; empty outside any span."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def span_from_traceparent(
    name: str, traceparent: str, tracer_name: str = "fleet"
) -> Iterator[trace.Span]:
    """Open a child of a span in another process.

    Args:
        name: Name of the new span.
        traceparent: W3C ``traceparent``; an empty or malformed one starts a new trace.
        tracer_name: Package that the span belongs to.
    """
    parent = _W3C.extract({"traceparent": traceparent})
    with tracer(tracer_name).start_as_current_span(name, context=parent) as span:
        yield span


def exemplar() -> dict[str, str] | None:
    """Return the current trace as an exemplar of a histogram; None if it is not recorded."""
    context = trace.get_current_span().get_span_context()
    if not context.trace_flags.sampled:
        return None
    return {"trace_id": trace.format_trace_id(context.trace_id)}
