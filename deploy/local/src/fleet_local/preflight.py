"""Checks for problems before anything starts, each reported in one line."""

import tempfile
from pathlib import Path

import redis

from fleet_local.ports import is_taken
from fleet_local.settings import StackSettings
from fleet_platform.errors import DependencyDown
from fleet_platform.redis_connection import RedisConnection, redis_answers

_REMEDY = (
    "Start it, correct the address (redis://host:6379/0, rediss:// for TLS), or unset REDIS_URL to "
    "let the stack start its own."
)


class CannotStart(Exception):
    """The stack cannot start; the text says why and what to do."""


def check(settings: StackSettings, artifact_dir: Path) -> None:
    """Raise `CannotStart` for the first problem that would prevent the stack from working."""
    ports = {"GRPC_PORT": settings.grpc_port, "HEALTH_PORT": settings.health_port}
    for name, port in ports.items():
        if port is not None and is_taken(settings.gateway_host, port):
            raise CannotStart(
                f"Port {port} is already taken. Stop the program that uses it, or choose "
                f"another port: make up {name}={port + 1}"
            )
    if not settings.cuvis_configs_dir.is_dir():
        raise CannotStart(
            f"The config folder {settings.cuvis_configs_dir} does not exist. Start from the "
            "project's root folder, or set CUVIS_CONFIGS_DIR."
        )
    for name, folder in (
        ("RUN_DIR", settings.run_dir),
        ("ARTIFACT_DIR", artifact_dir),
        ("OUTPUT_DIR", settings.output_dir),
    ):
        _check_writable(name, folder)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"The data folder {settings.data_dir} does not exist and cannot be created "
            f"({error.strerror}). Choose another folder: DATA_DIR=/path/to/measurements"
        ) from error
    if settings.redis_url:
        _check_redis(settings.redis_url, settings.redis_ca_path)


def _check_writable(name: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".preflight-") as probe:
            # Empty files can be created even on a full volume.
            probe.write(b"\0" * 65536)
            probe.flush()
    except OSError as error:
        raise CannotStart(
            f"{folder} cannot be written ({error.strerror}). Free some space or fix its "
            f"permissions, or choose another folder: {name}=/path/with/space"
        ) from error


def _check_redis(url: str, ca_path: Path | None) -> None:
    try:
        connection = RedisConnection(url, ca_path)
    except ValueError as error:
        raise CannotStart(f"REDIS_URL is not an address of Redis: {_REMEDY}") from error
    try:
        with redis_answers():
            connection.client.ping()
    except DependencyDown as error:
        cause = error.__cause__
        if isinstance(cause, redis.AuthenticationError):
            raise CannotStart(
                "Redis rejects the user or the password of REDIS_URL, or requires one: "
                "redis://user:password@host:6379/0"
            ) from error
        raise CannotStart(f"Redis does not answer at REDIS_URL ({cause}). {_REMEDY}") from error
    finally:
        connection.close()
