"""Health of the whole gateway over the wire."""

import time

import grpc
import pytest
from grpc_health.v1 import health_pb2

from fleet_proto.methods import SERVICE_NAME
from fleet_session.gateway_health import SERVICES

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
MARK = (("x-fleet-health", "gateway"),)


@pytest.fixture
def service(start_session, gateway):
    return start_session(gateway_address=gateway.address)


def check(service, name="", metadata=MARK):
    request = health_pb2.HealthCheckRequest(service=name)
    return service.health.Check(request, metadata=metadata, timeout=120).status


def test_everything_serves(service):
    for name in ("", SERVICE_NAME, *SERVICES):
        assert check(service, name) == SERVING


@pytest.mark.parametrize("status", [NOT_SERVING, None])
def test_one_service_that_is_down_takes_the_whole_with_it(service, gateway, status):
    gateway.status["trainer"] = status

    assert check(service) == check(service, SERVICE_NAME) == NOT_SERVING
    assert check(service, "trainer") == NOT_SERVING
    assert check(service, "config") == SERVING

    gateway.status["trainer"] = SERVING
    assert check(service) == SERVING


def test_a_service_that_hangs_is_down_within_its_deadline(service, gateway):
    gateway.hangs.add("inference")

    started_s = time.monotonic()
    assert check(service) == NOT_SERVING
    assert time.monotonic() - started_s < 30.0


def test_an_unknown_service_is_not_found(service):
    with pytest.raises(grpc.RpcError) as caught:
        check(service, "nope")

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_question_without_the_mark_is_about_this_service_alone(service, gateway):
    gateway.status = dict.fromkeys(SERVICES, NOT_SERVING)

    assert check(service, metadata=()) == SERVING
    assert check(service, "session", metadata=()) == SERVING
    with pytest.raises(grpc.RpcError) as caught:
        check(service, "config", metadata=())
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_watch_tells_the_status_now_and_its_changes(service, gateway):
    watch = service.health.Watch(health_pb2.HealthCheckRequest(), metadata=MARK, timeout=120)

    assert next(watch).status == SERVING
    gateway.status["config"] = NOT_SERVING
    assert next(watch).status == NOT_SERVING
    gateway.status["config"] = SERVING
    assert next(watch).status == SERVING
    watch.cancel()


def test_a_watch_of_an_unknown_service_reports_it(service):
    watch = service.health.Watch(
        health_pb2.HealthCheckRequest(service="nope"), metadata=MARK, timeout=120
    )

    assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    watch.cancel()


def test_without_a_gateway_the_service_answers_for_itself(start_session):
    assert check(start_session()) == SERVING


def test_a_gateway_that_is_not_there_cannot_serve(start_session):
    assert check(start_session(gateway_address="127.0.0.1:1")) == NOT_SERVING
