"""A refusal for want of room passes the gateway as it is, once, and so does a passed deadline."""

import threading
import time
from contextlib import ExitStack
from types import SimpleNamespace

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from fleet_gateway import GatewaySettings
from fleet_platform.ports import free_ports
from fleet_platform.rpc import Service, connect, start_service
from fleet_platform.settings import ServiceSettings
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc
from tests.support.polling import wait_until
from tests.support.processes.envoy_process import envoy

pytestmark = pytest.mark.e2e

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
WORKERS = 2
LARGEST = 100_000


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A service with two workers and room for one call more, behind the gateway.

    Calls of `Inference` run until they are let go; `seen` has the session of each that began.
    """
    seen, release = [], threading.Event()

    def infer(request, _call):
        seen.append(request.session_id)
        release.wait(60)
        return pb2.InferenceResponse()

    def train(_request, _call):
        yield pb2.TrainResponse(message="open")
        release.wait(60)

    service = Service(
        name="crowded",
        methods={"Inference": infer, "Train": train},
        owned=["Inference", "Train"],
    )
    settings = ServiceSettings(
        grpc_max_workers=WORKERS,
        grpc_max_pending=1,
        grpc_max_streams=1,
        grpc_max_msg_size=LARGEST,
        stop_grace_s=1,
    )
    with ExitStack() as undo:
        running = undo.enter_context(start_service(service, settings))
        undo.callback(release.set)
        gateway = _gateway_before(running.address)
        undo.enter_context(envoy(gateway, tmp_path_factory.mktemp("envoy")))
        channel = undo.enter_context(connect(f"127.0.0.1:{gateway.grpc_port}"))
        stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel)
        wait_until(
            lambda: _is_passed_on(stub.GetPipelineInputs, pb2.GetPipelineInputsRequest()), "found"
        )
        wait_until(lambda: _is_passed_on(stub.StopTrain, pb2.StopTrainRequest()), "found")
        yield SimpleNamespace(stub=stub, running=running, seen=seen, release=release)


def _gateway_before(address):
    """Settings of a gateway with one server behind all of its routes."""
    ports = dict(zip(("grpc_port", "health_port", "admin_port"), free_ports(3), strict=True))
    services = ("session", "config", "trainer", "inference")
    return GatewaySettings(**ports, **{f"{service}_endpoints": (address,) for service in services})


def _is_passed_on(method, request):
    """Whether the gateway has found the server, which does not know this method."""
    try:
        method(request, timeout=5)
    except grpc.RpcError as error:
        return error.code() is grpc.StatusCode.UNIMPLEMENTED
    return False


def _infer(crowded, session_id, **options):
    return crowded.stub.Inference.future(pb2.InferenceRequest(session_id=session_id), **options)


@pytest.fixture
def full(crowded):
    """All workers busy and the queue full, until the test is over."""
    crowded.seen.clear()
    crowded.release.clear()
    calls = []
    for count in range(1, WORKERS + 2):
        calls.append(_infer(crowded, f"call {count}"))
        wait_until(lambda count=count: crowded.running.busy == count, "it runs or waits")
    wait_until(lambda: len(crowded.seen) == WORKERS, "the workers are busy")
    yield crowded
    crowded.release.set()
    for call in calls:
        call.result(120)
    wait_until(lambda: crowded.running.busy == 0, "no call runs")


def test_a_full_queue_is_told_as_the_service_told_it_and_not_tried_again(full, capsys):
    capsys.readouterr()
    with pytest.raises(grpc.RpcError) as caught:
        full.stub.Inference(pb2.InferenceRequest(), timeout=30)
    refusal = caught.value
    assert refusal.code() is EXHAUSTED
    assert refusal.details() == "The server is busy and its queue is full; try again in 1 s."
    trailers = dict(refusal.trailing_metadata())
    info = RetryInfo()
    assert Status.FromString(trailers["grpc-status-details-bin"]).details[0].Unpack(info)
    assert info.retry_delay.ToMilliseconds() == int(trailers["grpc-retry-pushback-ms"]) == 1000
    assert len(trailers["x-trace-id"]) == 32
    wait_until(lambda: full.running.busy == WORKERS + 1, "only those before it are there")
    assert capsys.readouterr().err.count("RESOURCE_EXHAUSTED") == 1


def test_one_stream_too_many_is_refused_likewise(full):
    first = full.stub.Train(pb2.TrainRequest(), timeout=60)
    assert next(first).message == "open"
    with pytest.raises(grpc.RpcError) as caught:
        next(full.stub.Train(pb2.TrainRequest(), timeout=30))
    assert caught.value.code() is EXHAUSTED
    assert dict(caught.value.trailing_metadata())["grpc-retry-pushback-ms"] == "1000"
    full.release.set()
    assert list(first) == []


def _waiting(crowded, session_id, **options):
    call = _infer(crowded, session_id, **options)
    wait_until(lambda: crowded.running.busy == WORKERS + 1, "it waits")
    return call


def _past_its_deadline(crowded):
    late = _waiting(crowded, "late", timeout=1.0)
    arrived_s = time.monotonic()
    assert late.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    # The server counts from when the call came to it, which was before it was seen to wait; gRPC
    # rounds what it sends as the timeout up, by a hundredth at most.
    time.sleep(max(0.0, arrived_s + 1.1 - time.monotonic()))


def _left_by_its_client(crowded):
    _waiting(crowded, "left").cancel()
    # What comes after the cancellation, over the same connections, is answered.
    assert _is_passed_on(crowded.stub.StopTrain, pb2.StopTrainRequest())


@pytest.mark.parametrize("wait_in_vain", [_past_its_deadline, _left_by_its_client])
def test_a_call_that_nobody_waits_for_any_more_is_never_begun(crowded, wait_in_vain):
    crowded.seen.clear()
    crowded.release.clear()
    running = [_infer(crowded, f"call {number}") for number in range(WORKERS)]
    wait_until(lambda: len(crowded.seen) == WORKERS, "the workers are busy")
    wait_in_vain(crowded)
    crowded.release.set()
    for call in running:
        call.result(120)
    wait_until(lambda: crowded.running.busy == 0, "no call runs")
    assert sorted(crowded.seen) == [f"call {number}" for number in range(WORKERS)]


def test_a_message_above_the_limit_is_refused(crowded):
    request = pb2.InferenceRequest(session_id="x" * LARGEST)
    size = request.ByteSize()
    with pytest.raises(grpc.RpcError) as caught:
        crowded.stub.Inference(request, timeout=30)
    assert caught.value.code() is EXHAUSTED
    told = f"SERVER: Received message larger than max ({size} vs. {LARGEST})"
    assert caught.value.details() == told
