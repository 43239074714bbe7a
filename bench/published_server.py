"""The published server, started with the interpreter of an environment that has it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import grpc

from fleet_local.settings import inherited_environment
from fleet_platform.ports import free_ports
from fleet_platform.rpc import connect
from tests.support.sdk_stub import cu3s

_START_DEADLINE_S = 180.0
_STOP_DEADLINE_S = 10.0
_GIB = 1024**3


@contextmanager
def published_server(
    python: Path, folder: Path, environment: Mapping[str, str]
) -> Iterator[grpc.Channel]:
    """Start it, wait until it accepts connections, and stop it at the end of the block.

    Args:
        python: interpreter of its environment.
        folder: working directory; the log is written to ``published.log`` in it.
        environment: variables in addition to the inherited ones.
    """
    port = free_ports(1)[0]
    settings = {
        "GRPC_PORT": str(port),
        "GRPC_MAX_MSG_SIZE": str(_GIB),
        "MPLBACKEND": "Agg",
        "PYTHONPATH": str(cu3s.PYTHONPATH),
    }
    # Not resolved: an environment's interpreter is a link to one that lacks its packages.
    command = [
        str(python.absolute()),
        "-m",
        "launch_published",
        "-m",
        "cuvis_ai_core.grpc.production_server",
    ]
    with (folder / "published.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env={**inherited_environment(), **environment, **settings},
        )
    try:
        with connect(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=_START_DEADLINE_S)
            yield channel
    finally:
        process.terminate()
        try:
            process.wait(_STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
