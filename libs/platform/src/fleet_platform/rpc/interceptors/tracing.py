"""Continues the caller's trace and returns the trace id to the caller."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from opentelemetry.trace import SpanKind, StatusCode, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from fleet_platform.rpc.interceptors.method_info import MethodInfo
from fleet_platform.rpc.status import outcome
from fleet_platform.telemetry import attributes, tracer
from fleet_platform.telemetry.catalogue import spans
from fleet_proto.headers import TRACE_ID

_W3C = TraceContextTextMapPropagator()
_KEYS = ("traceparent", "tracestate")
_SERVER_FAULTS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_tracer = tracer(spans.CALL.scope)


@contextmanager
def tracing(info: MethodInfo) -> Iterator[None]:
    """Open the call's SERVER span as a child of the caller's span."""
    if info.quiet:
        yield
        return
    metadata = info.context.invocation_metadata()
    parent = _W3C.extract({key: value for key, value in metadata if key in _KEYS})
    service, _, method = info.path[1:].partition("/")
    with _tracer.start_as_current_span(
        info.path[1:],
        context=parent,
        kind=SpanKind.SERVER,
        attributes={
            attributes.RPC_SYSTEM: "grpc",
            attributes.RPC_SERVICE: service,
            attributes.RPC_METHOD: method,
        },
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        trace_id = format_trace_id(span.get_span_context().trace_id)
        info.context.set_trailing_metadata(((TRACE_ID, trace_id),))
        try:
            yield
        finally:
            code = outcome(info.context)
            span.set_attribute(attributes.RPC_STATUS_CODE, code.value[0])
            if code in _SERVER_FAULTS:
                span.set_status(StatusCode.ERROR)
