"""A real Envoy with the product's configuration, in front of a service that echoes headers."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from fleet_gateway import GatewaySettings, write_gateway_files
from fleet_platform.ports import free_ports
from fleet_proto.methods import SERVICE_NAME
from tests.support.processes.envoy_process import envoy

DEADLINE_S = 120.0
KEYS = """
alice: alice-has-this-key-0001
bob: [bob-has-this-key-00001, bob-has-this-key-00002]
"""


class Upstream(grpc.GenericRpcHandler):
    """Answers calls with the metadata that reached it; a Train stays open until `end`."""

    def __init__(self) -> None:
        self.end = threading.Event()
        echo = grpc.unary_unary_rpc_method_handler(lambda _, call: _echoed(call))
        self._handlers = {"Train": grpc.unary_stream_rpc_method_handler(self._train)}
        self._other = echo

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        service, _, method = details.method[1:].rpartition("/")
        return self._handlers.get(method, self._other) if service == SERVICE_NAME else None

    def _train(self, _request: bytes, call: grpc.ServicerContext) -> Iterator[bytes]:
        yield _echoed(call)
        self.end.wait(DEADLINE_S)
        yield b"{}"


def _echoed(call: grpc.ServicerContext) -> bytes:
    return json.dumps({key: str(value) for key, value in call.invocation_metadata()}).encode()


@dataclass(frozen=True)
class Gateway:
    """A gateway that runs.

    Attributes:
        address: of its public port.
        health_address: of its port for health alone.
        settings: what it runs with.
        folder: of its files.
        upstream: the service behind it.
    """

    address: str
    health_address: str
    settings: GatewaySettings
    folder: Path
    upstream: Upstream

    def write_files(self) -> None:
        """Write the files anew, as `python -m fleet_gateway` does beside a running gateway."""
        write_gateway_files(self.settings, self.folder)


@contextmanager
def gateway(folder: Path, **security: Any) -> Iterator[Gateway]:
    """Run one with these settings until the end of the block; it serves when the block begins."""
    public, health_port, admin = free_ports(3)
    with ExitStack() as undo:
        upstream = Upstream()
        endpoints = (f"127.0.0.1:{undo.enter_context(_serving(upstream))}",)
        settings = GatewaySettings(
            grpc_port=public,
            health_port=health_port,
            admin_port=admin,
            access_log=Path("/dev/null"),
            session_endpoints=endpoints,
            config_endpoints=endpoints,
            trainer_endpoints=endpoints,
            inference_endpoints=endpoints,
            **security,
        )
        undo.enter_context(envoy(settings, folder))
        yield Gateway(f"127.0.0.1:{public}", f"127.0.0.1:{health_port}", settings, folder, upstream)


def serves(channel: grpc.Channel, service: str = "session") -> bool:
    """Whether the gateway says of `service` that it serves."""
    stub = health_pb2_grpc.HealthStub(channel)
    try:
        answer = stub.Check(
            health_pb2.HealthCheckRequest(), timeout=2, metadata=(("x-fleet-service", service),)
        )
    except grpc.RpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def received(
    channel: grpc.Channel, method: str = "ResolveConfig", **metadata: str
) -> dict[str, str]:
    """What reached the service of a call with this metadata; `_` stands for `-` in keys."""
    call = channel.unary_unary(f"/{SERVICE_NAME}/{method}")
    sent = tuple((key.replace("_", "-"), value) for key, value in metadata.items())
    answer: dict[str, str] = json.loads(call(b"", timeout=DEADLINE_S, metadata=sent))
    return answer


@contextmanager
def _serving(upstream: Upstream) -> Iterator[int]:
    servicer = health.HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    pool = ThreadPoolExecutor(16)
    server = grpc.server(pool, handlers=[upstream])
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        upstream.end.set()
        server.stop(5).wait()
        pool.shutdown()
