"""Too many calls: the excess is rejected immediately, and health checks still work."""

import json
import threading
from contextlib import contextmanager

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fleet_platform.errors import Exhausted, NotFound
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc
from tests.support.polling import wait_until

REQUEST = pb.CloseSessionRequest()


@contextmanager
def _saturated(serve, workers, pending):
    release, running = threading.Event(), []

    def close(_request, _call):
        running.append(1)
        release.wait(120)
        return pb.CloseSessionResponse(success=True)

    def train(_request, _call):
        yield pb.TrainResponse(message="open")
        release.wait(120)

    served = serve(
        settings={
            "grpc_max_workers": workers,
            "grpc_max_pending": pending,
            "grpc_max_streams": 2,
            "metrics_port": 0,
        },
        CloseSession=close,
        Train=train,
    )
    served.release = release
    calls = [served.stub.CloseSession.future(REQUEST) for _ in range(workers + pending)]
    try:
        wait_until(
            lambda: len(running) == workers and served.running.busy == workers + pending,
            "workers and queue are full",
        )
        yield served, calls, running
    finally:
        release.set()
        for call in calls:
            assert call.result(120).success


def test_a_call_beyond_the_queue_is_rejected_at_once(serve, fails, capsys):
    with _saturated(serve, workers=2, pending=3) as (served, calls, running):
        error = fails(lambda: served.stub.CloseSession(REQUEST))
        assert not any(call.done() for call in calls), "those before it still run or wait"
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "queue is full" in error.details()
        assert dict(error.trailing_metadata())["x-trace-id"]
        assert len(running) == 2
        assert served.service.registry.get_sample_value("fleet_rpc_waiting") == 3
        wait_until(lambda: "RESOURCE_EXHAUSTED" in capsys.readouterr().err, "the refusal is logged")
    wait_until(lambda: served.running.busy == 0, "no call runs")
    assert served.stub.CloseSession(REQUEST).success


def test_a_rejection_has_a_retry_delay_in_both_forms_that_clients_read(serve, fails):
    with _saturated(serve, workers=1, pending=0) as (served, *_):
        error = fails(lambda: served.stub.CloseSession(REQUEST))
    assert error.details() == "The server is busy and its queue is full; try again in 1 s."
    trailers = dict(error.trailing_metadata())
    assert trailers["grpc-retry-pushback-ms"] == "1000"
    status, info = Status.FromString(trailers["grpc-status-details-bin"]), RetryInfo()
    assert (status.code, status.message) == (error.code().value[0], error.details())
    assert status.details[0].Unpack(info)
    assert info.retry_delay.ToMilliseconds() == 1000


def test_a_client_with_grpcs_own_retries_waits_as_requested_and_succeeds(serve, capsys):
    policy = {
        "maxAttempts": 5,
        "initialBackoff": "60s",
        "maxBackoff": "60s",
        "backoffMultiplier": 1,
        "retryableStatusCodes": ["RESOURCE_EXHAUSTED"],
    }
    config = {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
    with _saturated(serve, workers=1, pending=0) as (served, *_):
        options = [("grpc.service_config", json.dumps(config))]
        with grpc.insecure_channel(served.running.address, options) as channel:
            call = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel).CloseSession.future(REQUEST)
            wait_until(lambda: "RESOURCE_EXHAUSTED" in capsys.readouterr().err, "it was refused")
            served.release.set()
            # With its own policy alone it would have retried after a minute.
            assert call.result(120).success


@pytest.mark.parametrize("error", [Exhausted("Too large."), NotFound("Gone.")], ids=repr)
def test_errors_that_waiting_does_not_solve_have_no_retry_delay(serve, fails, error):
    def close(_request, _call):
        raise error

    served = serve(CloseSession=close)
    refusal = fails(lambda: served.stub.CloseSession(REQUEST))
    assert set(dict(refusal.trailing_metadata())) == {"x-trace-id"}


def test_health_and_reflection_answer_while_all_workers_are_busy(serve):
    with _saturated(serve, workers=1, pending=0) as (served, *_):
        health = health_pb2_grpc.HealthStub(served.channel)
        for _ in range(20):
            reply = health.Check(health_pb2.HealthCheckRequest(), timeout=120)
            assert reply.status == health_pb2.HealthCheckResponse.SERVING


def test_a_full_pool_of_unary_calls_does_not_affect_streams(serve):
    with _saturated(serve, workers=1, pending=0) as (served, *_):
        stream = served.stub.Train(pb.TrainRequest(), timeout=120)
        assert next(stream).message == "open"
        stream.cancel()


def test_open_streams_do_not_affect_unary_calls_and_are_limited(serve, fails):
    release = threading.Event()

    def train(_request, _call):
        yield pb.TrainResponse(message="open")
        release.wait(120)

    served = serve(
        settings={"grpc_max_workers": 1, "grpc_max_streams": 2},
        CloseSession=lambda _request, _call: pb.CloseSessionResponse(success=True),
        Train=train,
    )
    streams = [served.stub.Train(pb.TrainRequest(), timeout=120) for _ in range(2)]
    try:
        assert [next(stream).message for stream in streams] == ["open", "open"]
        assert served.stub.CloseSession(REQUEST, timeout=120).success
        error = fails(lambda: next(served.stub.Train(pb.TrainRequest())))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    finally:
        release.set()
    for stream in streams:
        assert list(stream) == []


def test_a_rejected_upload_is_not_received(serve, fails):
    with _saturated(serve, workers=1, pending=0) as (served, *_):
        big = pb.CloseSessionRequest(session_id="x" * 2**25)
        error = fails(lambda: served.stub.CloseSession(big, timeout=120))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
