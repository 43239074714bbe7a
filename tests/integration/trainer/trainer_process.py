"""A trainer process, started as an operator starts it: ``python -m fleet_trainer``."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import CuvisAIServiceStub
from tests.support.polling import wait_until

READY_WITHIN_S = 600.0
END_WITHIN_S = 120.0


class TrainerProcess:
    """A context manager: starts the process, and kills it at the end of the context."""

    def __init__(self, folder: Path, redis_url: str, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._environment = {
            "SERVICE_PORT": str(self.port),
            "REDIS_URL": redis_url,
            "ARTIFACT_DIR": str(folder / "artifacts"),
            "CUVIS_CONFIGS_DIR": str(folder / "configs"),
            "DATA_DIR": str(folder / "data"),
            "OUTPUT_DIR": str(folder / "outputs"),
            "DEVICE": "cpu",
            "TORCH_THREADS": "1",
            "HEARTBEAT_S": "0.5",
            "LOST_AFTER_S": "3",
            "STOP_GRACE_S": "1",
            "HEALTH_INTERVAL_S": "0.1",
            **environment,
        }

    def __enter__(self) -> Self:
        self.restart()
        self.channel = connect(f"127.0.0.1:{self.port}")
        self.stub = CuvisAIServiceStub(self.channel)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.channel.close()
        children = self.children()
        self.process.kill()
        self.process.wait(END_WITHIN_S)
        psutil.wait_procs(children, END_WITHIN_S)

    def restart(self) -> None:
        """Start the process again, after it has ended, on the same port."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fleet_trainer"], env=os.environ | self._environment
        )

    def wait_serving(self) -> Self:
        wait_until(self._serves, "the trainer is SERVING", READY_WITHIN_S)
        return self

    def children(self) -> list[psutil.Process]:
        """Return its worker processes, without the resource tracker of multiprocessing."""
        if self.process.poll() is not None:
            return []
        children = psutil.Process(self.process.pid).children()
        return [each for each in children if not _is_resource_tracker(each)]

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(END_WITHIN_S)

    def _serves(self) -> bool:
        assert self.process.poll() is None, "the trainer has exited"
        try:
            answer = health_pb2_grpc.HealthStub(self.channel).Check(
                health_pb2.HealthCheckRequest(service="trainer"), timeout=60.0
            )
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _is_resource_tracker(process: psutil.Process) -> bool:
    try:
        return "resource_tracker" in " ".join(process.cmdline())
    except psutil.Error:
        return False
