"""The doctor's checks of this machine."""

import importlib.util
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cuvis_fleet.cli.checks.finding import Finding
from cuvis_fleet.cli.invocation import Invocation
from cuvis_fleet.cli.sessions.session_journal import SessionJournal
from cuvis_fleet.formats import UnwritableFile
from cuvis_fleet.formats.atomic_files import atomic_output

_MIN_PYTHON, _PYTHON_LIMIT = (3, 11), (3, 14)
_CONNECT_S = 3.0
_NVIDIA_SMI_S = 10.0


def machine_findings(invocation: Invocation) -> Iterator[Finding]:
    """Check this machine, and that the port of the server accepts connections."""
    yield _python()
    yield Finding("client", "ok", ", ".join(_versions("cuvis-fleet", "grpcio", "protobuf")))
    yield _journal()
    yield _port(invocation)
    yield _sdk(invocation)
    yield _gpu(invocation)


def _python() -> Finding:
    found = f"{platform.python_implementation()} {platform.python_version()}"
    if _MIN_PYTHON <= sys.version_info[:2] < _PYTHON_LIMIT:
        return Finding("python", "ok", found)
    return Finding("python", "warn", found, "use CPython 3.11 to 3.13, which are tested")


def _versions(*names: str) -> Iterator[str]:
    for name in names:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} (not installed as a package)"


def _journal() -> Finding:
    folder = SessionJournal.of_user().folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_output(folder / "doctor.probe") as unfinished:
            unfinished.write_bytes(b"\n")
        (folder / "doctor.probe").unlink()
    except (OSError, UnwritableFile) as error:
        remedy = "free disk space, or set XDG_STATE_HOME; `train` records its sessions there"
        return Finding("state folder", "fail", f"{error}", remedy)
    return Finding("state folder", "ok", _from_home(folder))


def _from_home(folder: Path) -> str:
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)


def _port(invocation: Invocation) -> Finding:
    try:
        with socket.create_connection(
            (invocation.host.strip("[]"), invocation.port), timeout=_CONNECT_S
        ):
            return Finding("port", "ok", f"{invocation.address} accepts connections")
    except TimeoutError:
        remedy = "open the port in firewalls on the way, or correct --address"
        return Finding("port", "fail", f"{invocation.address} does not answer", remedy)
    except OSError as error:
        found = f"{invocation.address}: {error.strerror or error}"
        here = (
            "start the stack with `cuvis-fleet up`, or " if invocation.is_local else "start it, or "
        )
        return Finding("port", "fail", found, f"{here}correct --address")


def _sdk(invocation: Invocation) -> Finding:
    if importlib.util.find_spec("cuvis") is not None:
        return Finding("cuvis SDK", "ok", "installed here")
    if not invocation.is_local:
        return Finding("cuvis SDK", "ok", "not installed here; only servers need it, for .cu3s")
    remedy = "to train on .cu3s, install it where the services run; other formats do not need it"
    return Finding("cuvis SDK", "warn", "not installed in this Python", remedy)


def _gpu(invocation: Invocation) -> Finding:
    if not invocation.is_local:
        return Finding(
            "GPU",
            "ok",
            "not checked: the server is on another machine, and its logs name its device",
        )
    program = shutil.which("nvidia-smi")
    if program is None:
        remedy = "servers here compute on the CPU; a GPU needs NVIDIA's driver"
        return Finding("GPU", "warn", "nvidia-smi is not installed on this machine", remedy)
    query = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        queried = subprocess.run(
            query, capture_output=True, text=True, timeout=_NVIDIA_SMI_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        remedy = "repair NVIDIA's driver; until then servers here compute on the CPU"
        return Finding("GPU", "warn", f"nvidia-smi fails: {error}", remedy)
    return Finding("GPU", "ok", ", ".join(queried.stdout.split("\n")).strip(", "))
