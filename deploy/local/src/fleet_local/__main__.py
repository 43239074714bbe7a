"""Runs the local stack.

``python -m fleet_local``: in the foreground, until Ctrl-C.
``python -m fleet_local during PROGRAM ARGUMENT...``: while the program runs; a stack that already
serves on ``GRPC_PORT`` is reused.
"""

import signal
import subprocess
import sys
from types import FrameType

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fleet_local.background import background_stack
from fleet_local.parts import health_address, make_parts
from fleet_local.preflight import CannotStart, check
from fleet_local.readiness import is_serving
from fleet_local.settings import StackSettings
from fleet_local.supervisor import Supervisor
from fleet_platform.ports import free_ports


def _foreground(settings: StackSettings) -> int:
    artifact_dir = settings.artifact_dir or settings.run_dir / "artifacts"
    check(settings, artifact_dir)
    if settings.grpc_use_tls and settings.health_port is None:
        settings = settings.model_copy(update={"health_port": free_ports(1)[0]})
    supervisor = Supervisor(
        make_parts(settings, artifact_dir),
        is_ready=lambda: is_serving(health_address(settings)),
        ready_line=f"cuvis-fleet is ready on 127.0.0.1:{settings.grpc_port} (Ctrl-C stops it)",
        state_file=settings.run_dir / "parts.json",
    )
    return supervisor.run()


def _on_signal(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _during(settings: StackSettings, command: list[str]) -> int:
    # By default these signals end the process immediately, without stopping the stack.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _on_signal)
    if is_serving(health_address(settings)):
        return subprocess.run(command, check=False).returncode
    with background_stack(settings.grpc_port, settings.run_dir):
        return subprocess.run(command, check=False).returncode


def _cannot_start(reason: str) -> int:
    sys.stderr.write(f"cuvis-fleet cannot start: {reason}\n")
    return 1


def _described(error: ErrorDetails) -> str:
    if not error["loc"]:  # about all settings together, whose values may contain a password
        return error["msg"].removeprefix("Value error, ")
    name = ".".join(str(part) for part in error["loc"]).upper()
    return f"{name}={error['input']}: {error['msg']}"


def main(arguments: list[str]) -> int:
    """Run the command; return the exit code."""
    try:
        settings = StackSettings()
        if not arguments:
            return _foreground(settings)
        if arguments[0] == "during" and len(arguments) > 1:
            return _during(settings, arguments[1:])
    except ValidationError as error:
        return _cannot_start("; ".join(_described(each) for each in error.errors()))
    except CannotStart as error:
        return _cannot_start(str(error))
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
