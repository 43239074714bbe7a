"""A gateway that is told to stop lets its calls end, and no longer than it is told."""

import os
import subprocess
import sys
import sysconfig
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from fleet_local.readiness import is_serving
from fleet_platform.ports import free_ports
from fleet_platform.rpc import Service, connect, start_service
from fleet_platform.settings import ServiceSettings
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc
from tests.support.polling import wait_until


@pytest.fixture
def slow():
    """A service whose ``CloseSession`` answers once it is let go; its address and two events."""
    began, go_on = threading.Event(), threading.Event()

    def close_session(_request, _call):
        began.set()
        go_on.wait(60)
        return pb2.CloseSessionResponse(success=True)

    methods = {"CloseSession": close_session}
    service = Service(name="tested", methods=methods, owned=methods)
    with start_service(service, ServiceSettings(stop_grace_s=0)) as running:
        yield running.address, began, go_on
        go_on.set()


@pytest.fixture
def gateway(slow, tmp_path):
    """``gateway(stop_grace_s)`` -> its address and its process."""
    processes = []

    def start(stop_grace_s):
        port, admin_port = free_ports(2)
        endpoints = {
            f"{name}_ENDPOINTS": f'["{slow[0]}"]'
            for name in ("SESSION", "CONFIG", "TRAINER", "INFERENCE")
        }
        environment = {
            **os.environ,
            **endpoints,
            "PATH": os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"])),
            "GRPC_PORT": str(port),
            "ADMIN_PORT": str(admin_port),
            "STOP_GRACE_S": str(stop_grace_s),
        }
        command = [sys.executable, "-m", "fleet_gateway.run", str(tmp_path / "gateway")]
        processes.append(subprocess.Popen(command, env=environment))
        address = f"127.0.0.1:{port}"
        wait_until(lambda: is_serving(address, "tested"), "the gateway answers", timeout_s=300)
        return address, processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _close(address):
    with connect(address) as channel:
        stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel)
        return stub.CloseSession(pb2.CloseSessionRequest(session_id="any"), timeout=300)


def test_a_running_call_ends_before_the_gateway_does(slow, gateway):
    _, began, go_on = slow
    address, process = gateway(stop_grace_s=60)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(_close, address)
        assert began.wait(60)
        process.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        go_on.set()
        assert answer.result(60).success
    assert process.wait(60) == 0


def test_a_call_without_end_is_cut_after_the_grace(slow, gateway):
    _, began, _ = slow
    address, process = gateway(stop_grace_s=0.4)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(_close, address)
        assert began.wait(60)
        process.terminate()
        assert process.wait(60) == 0
        assert isinstance(answer.exception(60), grpc.RpcError)
