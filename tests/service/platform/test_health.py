"""Health is correct under every name, for Check and Watch."""

import threading

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fleet_platform.errors import DependencyDown
from tests.support.polling import wait_until

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
NAMES = ["", "tested", "cuvis_ai.v1.CuvisAIService"]


class Dependency:
    def __init__(self, up=True):
        self.up = up

    def ping(self):
        if not self.up:
            raise DependencyDown("Redis at the configured address does not answer.")


def _check(served, name=""):
    stub = health_pb2_grpc.HealthStub(served.channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=120).status


@pytest.mark.parametrize("name", NAMES)
def test_it_follows_its_dependency(serve, name, capsys):
    redis = Dependency()
    served = serve(service={"probes": {"redis": redis.ping}})
    assert _check(served, name) == SERVING
    redis.up = False
    wait_until(lambda: _check(served, name) == NOT_SERVING, "red")
    redis.up = True
    wait_until(lambda: _check(served, name) == SERVING, "green")
    log = capsys.readouterr().err
    down = next(line for line in log.splitlines() if "dependency.down" in line)
    assert "dependency=redis" in down
    assert "does not answer" in down
    assert any("dependency.up" in line for line in log.splitlines())


def test_a_dependency_that_is_down_at_start_leaves_the_service_up(serve, capsys):
    redis = Dependency(up=False)
    served = serve(service={"probes": {"redis": redis.ping}})
    assert _check(served) == NOT_SERVING
    assert "ready" not in capsys.readouterr().err
    redis.up = True
    wait_until(lambda: _check(served) == SERVING, "green")
    wait_until(
        lambda: f"port={served.running.port}" in capsys.readouterr().err, "the port is logged"
    )


def test_an_unknown_name_is_not_found(serve, fails):
    served = serve()
    assert fails(lambda: _check(served, "nobody")).code() is grpc.StatusCode.NOT_FOUND


def test_a_watch_receives_each_change(serve):
    redis = Dependency()
    served = serve(service={"probes": {"redis": redis.ping}})
    stub = health_pb2_grpc.HealthStub(served.channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest())
    assert next(watch).status == SERVING
    redis.up = False
    assert next(watch).status == NOT_SERVING
    redis.up = True
    assert next(watch).status == SERVING
    watch.cancel()


def test_watches_occupy_no_threads(serve):
    served = serve()
    stub = health_pb2_grpc.HealthStub(served.channel)
    watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(30)]
    for watch in watches:
        assert next(watch).status == SERVING
    assert _check(served) == SERVING
    assert sum(thread.name.startswith("control") for thread in threading.enumerate()) <= 4
    for watch in watches:
        watch.cancel()


def test_checks_are_not_logged_at_info(serve, capsys):
    served = serve()
    _check(served)
    assert "Check" not in capsys.readouterr().err


def test_a_service_may_answer_health_itself(serve):
    def answer(_request, _context):
        return health_pb2.HealthCheckResponse(status=NOT_SERVING)

    own = grpc.method_handlers_generic_handler(
        "grpc.health.v1.Health",
        {
            "Check": grpc.unary_unary_rpc_method_handler(
                answer,
                request_deserializer=health_pb2.HealthCheckRequest.FromString,
                response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
            )
        },
    )
    served = serve(service={"generic_handlers": (own,)})
    assert _check(served) == NOT_SERVING
    assert served.running.health.serving
