"""A stack in the background, for the demo, the benchmarks and the tests."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fleet_local.preflight import CannotStart
from fleet_local.readiness import is_serving
from fleet_local.settings import inherited_environment
from fleet_platform.ports import free_ports

_START_DEADLINE_S = 180.0
_STOP_DEADLINE_S = 40.0


@dataclass(frozen=True)
class BackgroundStack:
    """A running stack.

    Attributes:
        address: ``host:port`` of its gateway.
        health_address: ``host:port`` of the gateway's health checks.
        process: the supervisor.
        run_dir: its run folder.
        log: the output of all parts.
    """

    address: str
    health_address: str
    process: subprocess.Popen[bytes]
    run_dir: Path
    log: Path

    def part(self, name: str) -> dict[str, int]:
        """Return the ``pid`` (0 while down), ``port`` and, if any, ``metrics_port`` of a part."""
        state = json.loads((self.run_dir / "parts.json").read_text(encoding="utf-8"))
        return {key: int(value) for key, value in state[name].items()}

    def pids(self) -> dict[str, int]:
        """Return the process ids of the running parts, by name."""
        state = json.loads((self.run_dir / "parts.json").read_text(encoding="utf-8"))
        return {name: int(each["pid"]) for name, each in state.items() if each["pid"]}

    def is_serving(self, service: str = "") -> bool:
        """Return whether `service` ("" for all) is SERVING at the gateway."""
        return is_serving(self.health_address, service)


@contextmanager
def background_stack(
    grpc_port: int, run_dir: Path, environment: Mapping[str, str] | None = None
) -> Iterator[BackgroundStack]:
    """Start a stack, wait until it serves, and stop it at the end of the block.

    Args:
        grpc_port: public port of its gateway.
        run_dir: its run folder, which gets the log ``stack.log``.
        environment: settings of the stack and its services, besides the inherited environment.

    Raises:
        CannotStart: it exited or did not serve within 180 s; the text has the end of its log.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    log = run_dir / "stack.log"
    health_port = free_ports(1)[0]
    settings = {
        "GRPC_PORT": str(grpc_port),
        "HEALTH_PORT": str(health_port),
        "RUN_DIR": str(run_dir),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "fleet_local"],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**inherited_environment(), **(environment or {}), **settings},
            start_new_session=True,
        )
    addresses = (f"127.0.0.1:{grpc_port}", f"127.0.0.1:{health_port}")
    stack = BackgroundStack(*addresses, process, run_dir, log)
    try:
        _wait_until_serving(stack)
        yield stack
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=_STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_serving(stack: BackgroundStack) -> None:
    deadline = time.monotonic() + _START_DEADLINE_S
    while not stack.is_serving():
        ended = stack.process.poll() is not None
        if ended or time.monotonic() > deadline:
            lines = stack.log.read_text(encoding="utf-8", errors="replace").splitlines()
            what = "exited" if ended else f"did not serve within {_START_DEADLINE_S:.0f} s"
            raise CannotStart(
                f"the stack {what}; the last lines of its log:\n" + "\n".join(lines[-20:])
            )
        time.sleep(0.1)
