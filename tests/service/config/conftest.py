"""A config service on a free port, with sessions that a test creates."""

from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest

from fleet_config.assembly import build_service
from fleet_config.settings import ConfigSettings
from fleet_platform.rpc import connect, start_service
from fleet_platform.testing import MemorySessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc
from fleet_proto.records.v1.records_pb2 import SessionRecord

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture
def config_service(tmp_path):
    """The running service: ``.stub``, ``.channel``, ``.sessions``, ``.resolve(...)``."""
    sessions = MemorySessionStore(ttl_s=60)
    sessions.create(SessionRecord(session_id="s", search_paths=[str(CONFIGS)]))
    settings = ConfigSettings(
        cuvis_configs_dir=CONFIGS, data_dir=tmp_path / "data", output_dir=tmp_path / "out"
    )
    with ExitStack() as undo:
        running = undo.enter_context(
            start_service(build_service(settings, sessions=sessions), settings)
        )
        channel = undo.enter_context(connect(running.address))
        stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel)

        def resolve(kind, path, *overrides, session_id="s", timeout=120):
            request = pb.ResolveConfigRequest(
                session_id=session_id, config_type=kind, path=path, overrides=overrides
            )
            return stub.ResolveConfig(request, timeout=timeout)

        yield SimpleNamespace(stub=stub, channel=channel, sessions=sessions, resolve=resolve)


@pytest.fixture
def fails():
    """``fails(call)`` -> the error that the call ends with."""

    def run(call):
        with pytest.raises(grpc.RpcError) as caught:
            call()
        return caught.value

    return run
