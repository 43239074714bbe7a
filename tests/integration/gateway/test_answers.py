"""A call whose response has started is retried if the response is small enough to buffer."""

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from fleet_gateway import GatewaySettings, write_gateway_files
from fleet_platform.ports import free_ports
from fleet_platform.rpc import connect
from fleet_proto.methods import SERVICE_NAME
from tests.support.polling import wait_until
from tests.support.processes.gateway_admin import GatewayAdmin

UPSTREAM = Path(__file__).with_name("upstream_process.py")
DEADLINE_S = 300.0
HELD_BYTES = 67_000_000


@contextmanager
def _process(command):
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def gateway(tmp_path):
    """A channel to a gateway before two replicas, and the one that dies at its first call."""
    port, admin, *ports = free_ports(4)
    endpoints = tuple(f"127.0.0.1:{each}" for each in ports)
    services = ("session", "config", "trainer", "inference")
    settings = GatewaySettings(
        grpc_port=port, admin_port=admin, **{f"{each}_endpoints": endpoints for each in services}
    )
    config = write_gateway_files(settings, tmp_path)
    envoy = Path(sys.executable).with_name("envoy")
    with ExitStack() as stack:
        _answering, dying = (
            stack.enter_context(_process([sys.executable, UPSTREAM, str(number), how]))
            for number, how in zip(ports, ("answer", "die"), strict=True)
        )
        stack.enter_context(
            _process([envoy, "-c", config, "--disable-hot-restart", "--log-level", "warning"])
        )
        admin = GatewayAdmin(config)
        wait_until(lambda: _both_healthy(admin, ports), "both replicas are healthy", DEADLINE_S)
        yield stack.enter_context(connect(f"127.0.0.1:{port}")), dying


def _both_healthy(admin, ports):
    try:
        return admin.healthy_ports("inference") == set(ports)
    except OSError:
        return False


def _call(channel, method, size_bytes):
    call = channel.unary_unary(f"/{SERVICE_NAME}/{method}")
    answer, ended = call.with_call(str(size_bytes).encode(), timeout=DEADLINE_S)
    assert not any(key.startswith("x-fleet") for key, _ in ended.initial_metadata())
    return len(answer)


def test_a_replica_that_dies_amid_its_answer_fails_no_call_and_all_lengths_pass(gateway):
    channel, dying = gateway

    def died() -> bool:
        assert _call(channel, "Inference", 1_000_000) == 1_000_000
        return dying.poll() == 1

    wait_until(died, "the one that dies was called", DEADLINE_S)
    for method in ("Inference", "GetPipelineVisualization", "GetParameterSchema"):
        for size_bytes in (HELD_BYTES, HELD_BYTES + 1):
            assert _call(channel, method, size_bytes) == size_bytes
