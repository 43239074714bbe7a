"""Health at the gateway tells the truth, and an outage of Redis heals by itself."""

import threading

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.support.polling import wait_until
from tests.support.processes.redis_server import RedisServer
from tests.support.processes.serving_process import serving_pid
from tests.support.wire import assert_says, wire

pytestmark = pytest.mark.e2e

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = ("session", "config", "trainer", "inference")
TURN_S = 120.0
"""For a busy machine. What is held of the time itself: `tests/unit/session/test_health_lag.py`."""


class Health:
    """Asks one gateway for its health."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = health_pb2_grpc.HealthStub(channel)

    def check(self, service: str = "") -> int:
        request = health_pb2.HealthCheckRequest(service=service)
        return int(self._stub.Check(request, timeout=60.0).status)

    def watch(self, service: str = "") -> "Watched":
        request = health_pb2.HealthCheckRequest(service=service)
        return Watched(self._stub.Watch(request, timeout=900.0))


class Watched:
    """What a Watch has told so far."""

    def __init__(self, call: grpc.Call) -> None:
        self.statuses: list[int] = []
        self.ended: grpc.StatusCode | None = None
        self._call = call
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for answer in self._call:
                self.statuses.append(answer.status)
        except grpc.RpcError as error:
            self.ended = error.code()

    def stop(self) -> None:
        self._call.cancel()
        self._thread.join(timeout=60)
        assert self.ended is grpc.StatusCode.CANCELLED


@pytest.fixture
def health(stack):
    with connect(stack.address) as channel:
        yield Health(channel)


@pytest.mark.parametrize("service", ["", *SERVICES, "cuvis_ai.v1.CuvisAIService"])
def test_every_name_is_serving(health, service):
    assert health.check(service) == SERVING


def test_a_name_that_nobody_has_is_not_found(health):
    with pytest.raises(grpc.RpcError) as caught:
        health.check("nobody")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_health_follows_redis_down_and_up_and_sessions_survive(start_stack, tmp_path):
    with (
        RedisServer(tmp_path / "redis") as redis,
        start_stack(REDIS_URL=redis.url) as stack,
        connect(stack.address) as channel,
        wire(stack.address) as calls,
    ):
        health = Health(channel)
        watched = health.watch()
        session_id = calls.session()
        calls.load(session_id, calls.resolve(session_id, "pipeline", "pipeline/rx_statistical"))
        pids = {name: serving_pid(stack, name) for name in SERVICES}
        wait_until(lambda: watched.statuses == [SERVING], "Watch tells SERVING at once")

        redis.kill()
        wait_until(lambda: health.check() == NOT_SERVING, "NOT_SERVING", TURN_S)
        for service in SERVICES:
            wait_until(lambda name=service: health.check(name) == NOT_SERVING, service, TURN_S)
        for method, fields in (
            ("CreateSession", {}),
            ("ResolveConfig", {"session_id": session_id, "config_type": "data", "path": "data/x"}),
            ("GetTrainStatus", {"session_id": session_id}),
            ("Inference", {"session_id": session_id}),
        ):
            refusal = calls.refused(method, **fields)
            assert_says(refusal, grpc.StatusCode.UNAVAILABLE, "Redis|healthy|moment")

        redis.start()
        wait_until(lambda: health.check() == SERVING, "SERVING again", TURN_S)
        told = [SERVING, NOT_SERVING, SERVING]
        wait_until(lambda: watched.statuses == told, "Watch tells each turn once", TURN_S)
        watched.stop()
        for service in SERVICES:
            wait_until(lambda name=service: health.check(name) == SERVING, service, TURN_S)
        assert {name: serving_pid(stack, name) for name in SERVICES} == pids, "nothing restarted"
        answer = calls.call("SavePipeline", session_id=session_id, pipeline_path="survived.yaml")
        assert answer.success
        latest = calls.call("GetTrainStatus", session_id=session_id).latest_progress
        assert latest.status == pb2.TRAIN_STATUS_UNSPECIFIED
        assert calls.call("CloseSession", session_id=session_id).success
