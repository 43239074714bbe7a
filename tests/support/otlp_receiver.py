"""A real OTLP receiver: what a collector would get, kept for a test to look at."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from fleet_platform.telemetry.attributes import NODE


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as received; ids in hex, empty if absent.

    Attributes:
        process: id of the process that made it; "" where it does not say.
        nodes: the names in its attribute that lists nodes.
    """

    service: str
    scope: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    process: str
    attributes: dict[str, str] = field(default_factory=dict)
    nodes: tuple[str, ...] = ()


class OtlpReceiver(trace_service_pb2_grpc.TraceServiceServicer):
    """Collects the spans that any number of processes export."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._spans: list[ReceivedSpan] = []
        self.endpoint = ""

    def Export(self, request, context):
        received = [
            ReceivedSpan(
                service=_attributes(resource.resource.attributes).get("service.name", ""),
                scope=scope.scope.name,
                name=span.name,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                process=_attributes(resource.resource.attributes).get("process.pid", ""),
                attributes=_attributes(span.attributes),
                nodes=_nodes(span.attributes),
            )
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self._changed:
            self._spans.extend(received)
            self._changed.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    @property
    def spans(self) -> list[ReceivedSpan]:
        """All spans that have come until now."""
        with self._changed:
            return list(self._spans)

    def wait_for(
        self, complete: Callable[[list[ReceivedSpan]], bool], timeout_s: float = 30.0
    ) -> list[ReceivedSpan]:
        """All spans, as soon as `complete` says that what is looked for has come.

        Raises:
            AssertionError: it did not come in time; the text lists what did.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not complete(self._spans):
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(timeout=left):
                    names = sorted({(span.service, span.name) for span in self._spans})
                    raise AssertionError(f"not all spans came in {timeout_s} s; came: {names}")
            return list(self._spans)


@contextmanager
def otlp_receiver() -> Iterator[OtlpReceiver]:
    """An OTLP/gRPC endpoint on a free loopback port for as long as the block runs."""
    receiver = OtlpReceiver()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(receiver, server)
    receiver.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield receiver
    finally:
        server.stop(grace=1).wait()


def _attributes(pairs) -> dict[str, str]:
    return {pair.key: _text(pair.value) for pair in pairs}


def _nodes(pairs) -> tuple[str, ...]:
    """The names in the attribute that lists nodes."""
    lists = (pair.value.array_value.values for pair in pairs if pair.key == NODE)
    return tuple(value.string_value for values in lists for value in values)


def _text(value) -> str:
    kind = value.WhichOneof("value")
    return "" if kind is None else str(getattr(value, kind))
