"""The echo server as a process behind an Envoy that is configured like the gateway."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from bench.echo import METHOD, REPLY_SIZE_KEY
from fleet_gateway import GatewaySettings, write_gateway_files
from fleet_local.parts import NATIVE_ENVIRONMENT
from fleet_local.settings import inherited_environment
from fleet_platform.ports import free_ports
from fleet_platform.rpc import connect
from fleet_proto.methods import SERVICE_NAME

_START_DEADLINE_S = 20.0
_STOP_DEADLINE_S = 5.0


@dataclass(frozen=True)
class EchoStack:
    """Channels to the echo, directly and through Envoy."""

    direct: grpc.Channel
    through_envoy: grpc.Channel


def echo_call(channel: grpc.Channel, request: bytes, reply_size_bytes: int) -> Callable[[], bytes]:
    """Return a call that sends `request` and receives `reply_size_bytes`, without a codec."""
    method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
        f"/{SERVICE_NAME}/{METHOD}"
    )
    metadata = ((REPLY_SIZE_KEY, str(reply_size_bytes)),)
    return lambda: method(request, metadata=metadata)


@contextmanager
def echo_stack() -> Iterator[EchoStack]:
    """Start both, wait until they answer, and stop them at the end of the block."""
    echo_port, gateway_port, admin_port = free_ports(3)
    endpoints = (f"127.0.0.1:{echo_port}",)
    settings = GatewaySettings(
        grpc_port=gateway_port,
        admin_port=admin_port,
        access_log=Path("/dev/null"),
        session_endpoints=endpoints,
        config_endpoints=endpoints,
        trainer_endpoints=endpoints,
        inference_endpoints=endpoints,
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        config = write_gateway_files(settings, folder)
        stack.enter_context(_process(sys.executable, "-m", "bench.echo", str(echo_port)))
        stack.enter_context(
            _process(
                str(Path(sysconfig.get_path("scripts")) / "envoy"),
                *("-c", str(config), "--disable-hot-restart", "--log-level", "error"),
            )
        )
        direct = stack.enter_context(connect(f"127.0.0.1:{echo_port}"))
        through_envoy = stack.enter_context(connect(f"127.0.0.1:{gateway_port}"))
        for channel in (direct, through_envoy):
            _wait_until_answered(echo_call(channel, b"", 0))
        yield EchoStack(direct, through_envoy)


def _wait_until_answered(call: Callable[[], bytes]) -> None:
    """Call until it succeeds; Envoy rejects calls until it has found the echo healthy."""
    deadline = time.monotonic() + _START_DEADLINE_S
    while True:
        try:
            call()
        except grpc.RpcError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@contextmanager
def _process(*command: str) -> Iterator[None]:
    # The environment that the supervisor gives to services, for the lowest possible bound.
    environment = {**inherited_environment(), **NATIVE_ENVIRONMENT}
    process = subprocess.Popen(command, env=environment)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
