"""``cuvis-fleet up``: runs the stack with the tools that this machine has."""

import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.cli.invocation import Invocation, current_invocation
from cuvis_fleet.errors import CuvisFleetError

_COMPOSE_FILE = "compose.yaml"
_PAUSE_S = 0.5


def up(
    context: typer.Context,
    inference: Annotated[
        int, typer.Option(min=1, help="Number of inference replicas behind the gateway.")
    ] = 1,
) -> None:
    """Run the whole stack in the foreground, on the port of --address; Ctrl-C stops it.

    Uses the packages of the services if they are installed, or else `docker compose` if this
    folder has a compose.yaml. Settings are environment variables.
    """
    invocation = current_invocation(context)
    command = stack_command(inference)
    environment = {**os.environ, "GRPC_PORT": str(invocation.port), "INFERENCE": str(inference)}
    # Stdout has only JSON lines; the output of the services goes to stderr.
    output = sys.stderr if invocation.report.as_json else None
    process = subprocess.Popen(command, env=environment, stdout=output)
    if invocation.report.as_json:
        invocation.report.line({"event": "started", "command": command, "pid": process.pid})
        threading.Thread(target=_report_when_ready, args=(invocation, process), daemon=True).start()
    code = _wait(process)
    if invocation.report.as_json:
        invocation.report.line({"event": "stopped", "exit_code": code})
    if code:
        raise CommandFailed(f"the stack exited with code {code}", ExitCode.FAILED)


def stack_command(inference: int) -> Sequence[str]:
    """Return the command that runs the stack.

    Raises:
        CommandFailed: this machine cannot run the stack.
    """
    if importlib.util.find_spec("fleet_local") is not None:
        return [sys.executable, "-m", "fleet_local"]
    docker = shutil.which("docker")
    if docker is not None and Path(_COMPOSE_FILE).is_file():
        return [docker, "compose", "up", "--scale", f"inference={inference}"]
    reason = "docker is not installed" if docker is None else f"this folder has no {_COMPOSE_FILE}"
    raise CommandFailed(
        "the stack cannot run: the package cuvis-fleet-local is not installed and "
        f"{reason}; run `make up` in the repository, or this command in a folder with "
        f"{_COMPOSE_FILE}",
        ExitCode.MISSING,
    )


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait until the stack exits; Ctrl-C reaches it, too, and it needs time to stop."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _report_when_ready(invocation: Invocation, process: subprocess.Popen[bytes]) -> None:
    with invocation.connect(timeout_s=2.0, once=True) as client:
        while process.poll() is None:
            time.sleep(_PAUSE_S)
            try:
                ready = client.health()[""] == "SERVING"
            except CuvisFleetError:
                continue
            if ready:
                invocation.report.line({"event": "ready", "address": invocation.address})
                return
