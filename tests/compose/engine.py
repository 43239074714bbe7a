"""The container engine of these tests, and its compose command."""

import os
import shutil
import subprocess


def engine_fault() -> str | None:
    """Why no fleet can be started here; None: it can."""
    if shutil.which("docker") is None:
        return "The program `docker` is not installed."
    asked = _quiet("docker", "version", "--format", "{{.Server.Version}}")
    if asked.returncode:
        where = os.environ.get("DOCKER_HOST", "the default address")
        return f"No Docker engine answers at {where}: {asked.stderr.strip()}"
    if compose_command() is None:
        return "Neither `docker compose` nor `docker-compose` is installed."
    return None


def compose_command() -> tuple[str, ...] | None:
    """The command line that compose begins with; None: there is none."""
    if _quiet("docker", "compose", "version").returncode == 0:
        return ("docker", "compose")
    return ("docker-compose",) if shutil.which("docker-compose") else None


def docker(*arguments: str) -> str:
    """What a command of the engine prints; one that fails fails the test with its words."""
    done = _quiet("docker", *arguments)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def _quiet(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
