"""A session service on a free port, and a gateway made of real health servers."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import SimpleNamespace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fleet_platform.rpc import connect, start_service
from fleet_platform.testing import MemoryArtifactStore, MemorySessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc
from fleet_session.assembly import build_service
from fleet_session.gateway_health import SERVICES
from fleet_session.settings import SessionSettings


@pytest.fixture
def start_session(tmp_path):
    """``start_session(**settings)`` -> ``.stub``, ``.channel``, ``.sessions``, ``.running``."""
    with ExitStack() as undo:

        def start(**chosen):
            (tmp_path / "configs").mkdir()
            sessions = MemorySessionStore(ttl_s=60)
            settings = SessionSettings(
                cuvis_configs_dir=tmp_path / "configs",
                data_dir=tmp_path / "data",
                output_dir=tmp_path / "out",
                plugin_dir=tmp_path / "clones",
                stop_grace_s=1,
                **chosen,
            )
            artifacts = MemoryArtifactStore()
            service = build_service(settings, sessions=sessions, artifacts=artifacts)
            running = undo.enter_context(start_service(service, settings))
            channel = undo.enter_context(connect(running.address))
            return SimpleNamespace(
                stub=cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel),
                health=health_pb2_grpc.HealthStub(channel),
                channel=channel,
                sessions=sessions,
                artifacts=artifacts,
                running=running,
                configs=str(tmp_path / "configs"),
            )

        yield start


class FakeGateway(health_pb2_grpc.HealthServicer):
    """Answers for each service by the header that the real gateway routes by."""

    def __init__(self):
        self.status = dict.fromkeys(SERVICES, health_pb2.HealthCheckResponse.SERVING)
        self.hangs = set()
        self.address = ""

    def Check(self, request, context):
        service = dict(context.invocation_metadata())["x-fleet-service"]
        assert request.service == ""
        if service in self.hangs:
            ended = threading.Event()
            context.add_callback(ended.set)
            ended.wait(120)
        if self.status[service] is None:
            context.abort(grpc.StatusCode.UNAVAILABLE, "no healthy upstream")
        return health_pb2.HealthCheckResponse(status=self.status[service])


@pytest.fixture
def gateway():
    """A stand-in for the gateway whose services a test takes down."""
    servicer = FakeGateway()
    server = grpc.server(ThreadPoolExecutor(8))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield servicer
    server.stop(grace=None).wait()
