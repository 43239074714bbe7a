"""What can be known to fail before anything starts, each told in one line."""

import tempfile
from pathlib import Path

import redis

from fleet_local.ports import is_taken
from fleet_local.settings import StackSettings


class CannotStart(Exception):
    """The stack cannot start; the text says why and what to do."""


def check(settings: StackSettings, artifact_dir: Path) -> None:
    """Raise `CannotStart` for the first thing that would keep the stack from working."""
    if is_taken(settings.gateway_host, settings.grpc_port):
        raise CannotStart(
            f"Port {settings.grpc_port} is already taken. Stop what listens there, or choose "
            f"another one: make up GRPC_PORT={settings.grpc_port + 1}"
        )
    if not settings.cuvis_configs_dir.is_dir():
        raise CannotStart(
            f"The config folder {settings.cuvis_configs_dir} does not exist. Start from the "
            "project's root, or set CUVIS_CONFIGS_DIR."
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
            f"The data folder {settings.data_dir} is not there and cannot be made "
            f"({error.strerror}). Choose another one: DATA_DIR=/path/to/measurements"
        ) from error
    if settings.redis_url:
        _check_redis(settings.redis_url)


def _check_writable(name: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".preflight-") as probe:
            # A full volume still makes empty files.
            probe.write(b"\0" * 65536)
            probe.flush()
    except OSError as error:
        raise CannotStart(
            f"{folder} cannot be written ({error.strerror}). Free some space or fix its "
            f"permissions, or choose another folder: {name}=/path/with/space"
        ) from error


def _check_redis(url: str) -> None:
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=2.0, socket_timeout=2.0
        ) as connection:
            connection.ping()
    except (redis.RedisError, ValueError) as error:
        raise CannotStart(
            "Redis does not answer at REDIS_URL. Start it, correct the address "
            "(redis://host:6379/0), or unset REDIS_URL to let the stack start its own."
        ) from error
