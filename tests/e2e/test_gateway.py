"""What the gateway does with every call, whatever it is about."""

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.methods import METHODS_BY_SERVICE, SERVICE_NAME

pytestmark = pytest.mark.e2e

METHODS = sorted(method for methods in METHODS_BY_SERVICE.values() for method in methods)
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
DEADLINE_S = 20.0


@pytest.fixture
def channel(stack):
    with connect(stack.address) as channel:
        yield channel


def _trailers(channel, method, metadata=()):
    """Trailing metadata of a call with an empty request, however it ended."""
    make = channel.unary_stream if method == "Train" else channel.unary_unary
    call = make(
        f"/{SERVICE_NAME}/{method}",
        request_serializer=lambda _: b"",
        response_deserializer=bytes,
    )
    request = None
    if method == "Train":
        stream = call(request, timeout=DEADLINE_S, metadata=metadata)
        with pytest.raises(grpc.RpcError):
            list(stream)
        return dict(stream.trailing_metadata())
    try:
        _answer, ended = call.with_call(request, timeout=DEADLINE_S, metadata=metadata)
    except grpc.RpcError as error:
        ended = error
    return dict(ended.trailing_metadata())


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_answered_by_a_service_that_tells_the_trace(channel, method):
    trace_id = _trailers(channel, method)["x-trace-id"]
    assert len(trace_id) == 32
    assert int(trace_id, 16) != 0


def test_a_trace_that_the_client_began_goes_on(channel):
    metadata = (("traceparent", f"00-{TRACE_ID}-00f067aa0ba902b7-01"),)
    for method in ("CreateSession", "ResolveConfig", "GetTrainStatus", "Inference"):
        assert _trailers(channel, method, metadata)["x-trace-id"] == TRACE_ID


def test_two_calls_are_two_traces(channel):
    first, second = (_trailers(channel, "CreateSession")["x-trace-id"] for _ in range(2))
    assert first != second


def test_a_method_that_does_not_exist_is_unimplemented(channel):
    call = channel.unary_unary(f"/{SERVICE_NAME}/NoSuchMethod")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=DEADLINE_S)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_reflection_tells_the_service_and_its_file(channel):
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    questions = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE_NAME),
    ]
    listed, file = stub.ServerReflectionInfo(iter(questions), timeout=DEADLINE_S)
    names = {service.name for service in listed.list_services_response.service}
    assert {SERVICE_NAME, "grpc.health.v1.Health"} <= names
    (descriptor,) = file.file_descriptor_response.file_descriptor_proto
    assert descriptor == pb2.DESCRIPTOR.serialized_pb
