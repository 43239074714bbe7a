"""A real server on a free port with handlers that each test defines."""

from contextlib import ExitStack
from types import SimpleNamespace

import grpc
import pytest

from fleet_platform.rpc import Service, connect, start_service
from fleet_platform.settings import ServiceSettings
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc


@pytest.fixture
def serve():
    """``serve(settings={...}, CloseSession=handler, ...)`` -> running, channel, stub."""
    with ExitStack() as undo:

        def start(settings=None, service=None, **methods):
            made = Service(
                **{"name": "tested", "methods": methods, "owned": methods} | (service or {})
            )
            chosen = ServiceSettings(
                **{"health_interval_s": 0.02, "stop_grace_s": 1} | (settings or {})
            )
            running = undo.enter_context(start_service(made, chosen))
            channel = undo.enter_context(connect(running.address))
            stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel)
            return SimpleNamespace(running=running, channel=channel, stub=stub, service=made)

        yield start


@pytest.fixture
def fails():
    """``fails(call)`` -> the error that the call ends with."""

    def run(call):
        with pytest.raises(grpc.RpcError) as caught:
            call()
        return caught.value

    return run
