"""Traces, access log and metrics of calls."""

import json
import time
import urllib.request

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fleet_platform.errors import NotFound
from fleet_platform.ports import free_ports
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import configure_telemetry, logger, tracer
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.otlp_receiver import otlp_receiver
from tests.support.polling import wait_until

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = (("traceparent", f"00-{TRACE_ID}-b7ad6b7169203331-01"),)
REQUEST = pb.CloseSessionRequest()


def _close(request, call):
    if request.session_id == "gone":
        raise NotFound("No session gone.")
    return pb.CloseSessionResponse(success=True)


def _train(_request, _call):
    with tracer("fleet.test").start_as_current_span("work"):
        logger("fleet.test").info("working")
        yield pb.TrainResponse()


def test_spans_of_a_call_are_exported_as_children_of_the_callers_span(serve):
    with otlp_receiver() as receiver:
        served = serve(
            settings={"otel_exporter_otlp_endpoint": receiver.endpoint},
            CloseSession=_close,
            Train=_train,
        )
        list(served.stub.Train(pb.TrainRequest(), metadata=PARENT))
        with pytest.raises(grpc.RpcError):
            served.stub.CloseSession(pb.CloseSessionRequest(session_id="gone"), metadata=PARENT)
        spans = receiver.wait_for(lambda seen: len(seen) >= 3)
    by_name = {span.name: span for span in spans}
    train = by_name["cuvis_ai.v1.CuvisAIService/Train"]
    close = by_name["cuvis_ai.v1.CuvisAIService/CloseSession"]
    work = by_name["work"]
    assert {span.trace_id for span in spans} == {TRACE_ID}
    assert train.parent_id == close.parent_id == "b7ad6b7169203331"
    assert work.parent_id == train.span_id
    assert train.attributes == {
        "rpc.system": "grpc",
        "rpc.service": "cuvis_ai.v1.CuvisAIService",
        "rpc.method": "Train",
        "rpc.grpc.status_code": "0",
    }
    assert close.attributes["rpc.grpc.status_code"] == "5"


def test_the_reply_contains_the_trace_id_of_the_caller_or_a_new_one(serve):
    served = serve(CloseSession=_close, Train=_train)
    _, reply = served.stub.CloseSession.with_call(REQUEST, metadata=PARENT)
    assert dict(reply.trailing_metadata()) == {"x-trace-id": TRACE_ID}
    stream = served.stub.Train(pb.TrainRequest(), metadata=PARENT)
    list(stream)
    assert dict(stream.trailing_metadata()) == {"x-trace-id": TRACE_ID}
    own = {
        dict(served.stub.CloseSession.with_call(REQUEST)[1].trailing_metadata())["x-trace-id"]
        for _ in range(3)
    }
    assert len(own) == 3
    assert "0" * 32 not in own


def test_each_call_is_logged_in_one_line_with_its_trace(serve, capsys):
    served = serve(settings={"log_format": "json"}, CloseSession=_close, Train=_train)
    served.stub.CloseSession(REQUEST, metadata=PARENT)
    list(served.stub.Train(pb.TrainRequest(), metadata=PARENT))
    with pytest.raises(grpc.RpcError):
        served.stub.CloseSession(pb.CloseSessionRequest(session_id="gone"), metadata=PARENT)
    wait_until(lambda: served.running.busy == 0, "no call runs")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    calls = [line for line in lines if line["event"] == "call"]
    assert [(line["method"], line["code"]) for line in calls] == [
        ("CloseSession", "OK"),
        ("Train", "OK"),
        ("CloseSession", "NOT_FOUND"),
    ]
    assert calls[2]["text"] == "No session gone."
    working = next(line for line in lines if line["event"] == "working")
    assert {line["trace_id"] for line in [*calls, working]} == {TRACE_ID}
    assert all(line["ms"] >= 0 for line in calls)


def test_metrics_count_calls_by_method_and_code(serve, fails):
    served = serve(settings={"metrics_port": free_ports(1)[0]}, CloseSession=_close)
    for _ in range(3):
        served.stub.CloseSession(REQUEST)
    fails(lambda: served.stub.CloseSession(pb.CloseSessionRequest(session_id="gone")))
    health_pb2_grpc.HealthStub(served.channel).Check(health_pb2.HealthCheckRequest())
    wait_until(lambda: served.running.busy == 0, "no call runs")
    read = served.service.registry.get_sample_value
    count = "fleet_rpc_seconds_count"
    assert read(count, {"method": "CloseSession", "code": "OK"}) == 3
    assert read(count, {"method": "CloseSession", "code": "NOT_FOUND"}) == 1
    assert read("fleet_rpc_running", {"method": "CloseSession"}) == 0


def test_metrics_are_served_on_loopback(serve):
    port = free_ports(1)[0]
    served = serve(settings={"metrics_port": port}, CloseSession=_close)
    served.stub.CloseSession(REQUEST)
    wait_until(lambda: served.running.busy == 0, "no call runs")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=120) as reply:
        text = reply.read().decode()
    assert 'fleet_rpc_seconds_count{code="OK",method="CloseSession"} 1.0' in text
    assert "process_resident_memory_bytes" in text


def test_an_unavailable_collector_causes_one_line_and_a_short_stop(capsys):
    endpoint = f"http://127.0.0.1:{free_ports(1)[0]}"
    settings = ServiceSettings(otel_exporter_otlp_endpoint=endpoint)
    telemetry = configure_telemetry("tested", settings)
    log = []

    def away():
        with tracer("fleet.test").start_as_current_span("lost"):
            pass
        log.append(capsys.readouterr().err)
        return "collector.unavailable" in "".join(log)

    wait_until(away, "the unavailable collector is logged")
    started_s = time.monotonic()
    telemetry.close()
    assert time.monotonic() - started_s < 30
    lines = ("".join(log) + capsys.readouterr().err).splitlines()
    assert len(lines) == 1
    assert endpoint in lines[0]
