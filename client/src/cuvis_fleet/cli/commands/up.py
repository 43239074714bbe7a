"""``cuvis-fleet up``: the stack, by whatever of this machine can run it."""

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
        int, typer.Option(min=1, help="Inference replicas behind the gateway.")
    ] = 1,
) -> None:
    """Run the whole stack in the foreground, on the port of --address; Ctrl-C stops it.

    It is the packages of the services where they are installed, else `docker compose` where a
    compose.yaml lies in this folder. Settings are environment variables.
    """
    invocation = current_invocation(context)
    command = stack_command(inference)
    environment = {**os.environ, "GRPC_PORT": str(invocation.port), "INFERENCE": str(inference)}
    # Programs read JSON lines on stdout; what the parts say goes elsewhere.
    output = sys.stderr if invocation.report.as_json else None
    process = subprocess.Popen(command, env=environment, stdout=output)
    if invocation.report.as_json:
        invocation.report.line({"event": "started", "command": command, "pid": process.pid})
        threading.Thread(target=_tell_when_ready, args=(invocation, process), daemon=True).start()
    code = _wait(process)
    if invocation.report.as_json:
        invocation.report.line({"event": "stopped", "exit_code": code})
    if code:
        raise CommandFailed(f"the stack ended with exit code {code}", ExitCode.FAILED)


def stack_command(inference: int) -> Sequence[str]:
    """What runs the stack here.

    Raises:
        CommandFailed: nothing does.
    """
    if importlib.util.find_spec("fleet_local") is not None:
        return [sys.executable, "-m", "fleet_local"]
    docker = shutil.which("docker")
    if docker is not None and Path(_COMPOSE_FILE).is_file():
        return [docker, "compose", "up", "--scale", f"inference={inference}"]
    lacking = "docker is not installed" if docker is None else f"no {_COMPOSE_FILE} lies here"
    raise CommandFailed(
        "nothing here can run the stack: the package cuvis-fleet-local is not installed and "
        f"{lacking}; run `make up` in the repository, or this command where {_COMPOSE_FILE} lies",
        ExitCode.MISSING,
    )


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end; Ctrl-C reaches the stack as well, which takes its time to stop."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _tell_when_ready(invocation: Invocation, process: subprocess.Popen[bytes]) -> None:
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
