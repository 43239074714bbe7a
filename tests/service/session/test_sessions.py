"""Sessions over the wire."""

import subprocess
import sys
import uuid

import grpc
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


@pytest.fixture
def service(start_session):
    return start_session()


def code_of(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def create(service):
    return service.stub.CreateSession(pb.CreateSessionRequest()).session_id


def set_paths(service, session_id, *paths, **options):
    return service.stub.SetSessionSearchPaths(
        pb.SetSessionSearchPathsRequest(session_id=session_id, search_paths=paths, **options)
    )


def test_a_session_is_created_and_closed_once(service):
    session_id = create(service)

    assert uuid.UUID(session_id).version == 4
    assert service.stub.CloseSession(pb.CloseSessionRequest(session_id=session_id)).success

    code, details = code_of(
        lambda: service.stub.CloseSession(pb.CloseSessionRequest(session_id=session_id))
    )
    assert code is grpc.StatusCode.NOT_FOUND
    assert session_id in details
    assert create(service)


def test_append_is_the_default(service, tmp_path):
    (tmp_path / "configs/mine").mkdir()

    reply = set_paths(service, create(service), f"{tmp_path}/configs/mine")

    assert reply.success
    assert list(reply.current_paths) == [service.configs, f"{service.configs}/mine"]


def test_a_client_on_another_host_gets_its_folders_back_and_the_servers_configs(service):
    session_id = create(service)

    reply = set_paths(service, session_id, "/home/somebody/configs", append=False)

    assert reply.success
    assert list(reply.rejected_paths) == ["/home/somebody/configs"]
    assert list(reply.current_paths) == [service.configs]
    assert list(service.sessions.read(session_id).search_paths) == [service.configs]


@pytest.mark.parametrize("session_id", ["", "gone", "\u2713"])
def test_an_unknown_session_is_not_found(service, session_id):
    code, _ = code_of(lambda: set_paths(service, session_id, "configs"))

    assert code is grpc.StatusCode.NOT_FOUND


def test_too_many_folders_are_refused_and_the_session_stays_usable(service):
    session_id = create(service)

    code, details = code_of(lambda: set_paths(service, session_id, *["x"] * 300))

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "at most 256" in details
    assert set_paths(service, session_id, append=True).success


def test_the_service_does_not_import_torch():
    script = "import sys, fleet_session.__main__; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
