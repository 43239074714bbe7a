"""Callers of a secured gateway."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from fleet_gateway import GatewaySettings
from fleet_local.background import BackgroundStack
from fleet_platform.ports import free_ports
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.methods import METHODS_BY_SERVICE, SERVICE_NAME
from tests.support.processes.envoy_process import envoy
from tests.support.published.environment import published_environment
from tests.support.published.workflow import CLIENTS

CLIENT = CLIENTS / "security.py"
DEADLINE_S = 300.0

ALICE, BOB = "alice-has-this-key-0001", "bob-has-this-key-00001"
REDIS_USER = ("fleet", "s3cret-of-redis")

Metadata = tuple[tuple[str, str], ...]


@contextmanager
def another_gateway(stack: BackgroundStack, folder: Path, **security: object) -> Iterator[str]:
    """Start a gateway with these security settings in front of a stack; yield its address."""
    grpc_port, health_port, admin_port = free_ports(3)
    endpoints = {
        f"{service}_endpoints": (f"127.0.0.1:{stack.part(service)['port']}",)
        for service in METHODS_BY_SERVICE
    }
    settings = GatewaySettings.model_validate(
        {
            **endpoints,
            **security,
            "grpc_port": grpc_port,
            "health_port": health_port,
            "admin_port": admin_port,
        }
    )
    with envoy(settings, folder):
        yield f"127.0.0.1:{grpc_port}"


@dataclass(frozen=True)
class Published:
    """Runs a short job with a published message package through a secured gateway."""

    address: str
    cubes: Path
    folder: Path

    def works(self, *steps: str, **security: object) -> None:
        """Hold that these steps succeed; none named: that all do."""
        done = steps or ("create", "resolve", "train", "infer", "close")
        assert self._results({**security, "steps": done}) == [[step, "OK", ""] for step in done]

    def refused(self, **security: object) -> tuple[str, str]:
        """Status and text of the first step, which does not succeed."""
        ((_step, code, text),) = self._results({**security, "steps": ["create"]})
        return code, text

    def _results(self, security: dict[str, object]) -> list[list[str]]:
        path = self.folder / "security.json"
        path.write_text(json.dumps(security, default=str), encoding="utf-8")
        done = subprocess.run(
            [published_environment("schemas-0.9.0"), CLIENT, self.address, self.cubes, path],
            check=True,
            capture_output=True,
            timeout=600,
            env={"PATH": os.environ["PATH"]},
        )
        results: list[list[str]] = json.loads(done.stdout)
        return results


def unary(channel: grpc.Channel, method: str, metadata: Metadata, **fields: Any) -> Any:
    """Answer of a unary call; keyword arguments are fields of its request."""
    request = getattr(pb2, f"{method}Request")(**fields)
    call = channel.unary_unary(
        f"/{SERVICE_NAME}/{method}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=getattr(pb2, f"{method}Response").FromString,
    )
    return call(request, timeout=DEADLINE_S, metadata=metadata)


def session(channel: grpc.Channel, metadata: Metadata = ()) -> str:
    """Id of a new session."""
    return str(unary(channel, "CreateSession", metadata).session_id)


def refusal(channel: grpc.Channel, method: str, metadata: Metadata, **fields: Any) -> grpc.RpcError:
    """The error of a call, of whatever type, with what it needs beside the session."""
    more = {"weights_path": "x.pt"} if method == "LoadPipelineWeights" else {}
    request = getattr(pb2, f"{method}Request")(**fields, **more)
    make = channel.unary_stream if method == "Train" else channel.unary_unary
    call = make(f"/{SERVICE_NAME}/{method}", request_serializer=type(request).SerializeToString)
    with pytest.raises(grpc.RpcError) as caught:
        list(call(request, timeout=DEADLINE_S, metadata=metadata))
    return caught.value
