"""The gateway as it is configured, in front of servers that a test chooses."""

import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet_gateway import GatewaySettings, write_gateway_files
from fleet_local.ports import free_ports

STOP_DEADLINE_S = 20.0


@contextmanager
def envoy_before(address: str, folder: Path) -> Iterator[str]:
    """Run Envoy with one server behind all of its routes.

    Args:
        address: ``host:port`` of the server.
        folder: where configuration and log go.

    Yields:
        ``host:port`` of the gateway.
    """
    port, admin_port = free_ports(2)
    services = ("session", "config", "trainer", "inference")
    settings = GatewaySettings(
        grpc_port=port,
        admin_port=admin_port,
        access_log=folder / "access.log",
        **{f"{service}_endpoints": (address,) for service in services},
    )
    config = write_gateway_files(settings, folder)
    envoy = Path(sysconfig.get_path("scripts")) / "envoy"
    with (folder / "envoy.log").open("wb") as log:
        process = subprocess.Popen(
            [envoy, "-c", config, "--disable-hot-restart", "--log-level", "warning"],
            stdout=log,
            stderr=log,
        )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
