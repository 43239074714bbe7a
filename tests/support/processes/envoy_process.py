"""A real Envoy, from files that were written for it."""

import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet_gateway import GatewaySettings, write_gateway_files
from fleet_local.readiness import is_serving
from tests.support.polling import wait_until


@contextmanager
def envoy(settings: GatewaySettings, folder: Path, service: str = "") -> Iterator[None]:
    """Run a gateway until the end of the block.

    Args:
        settings: what it is for, a health port included.
        folder: where its files and its log go.
        service: what must serve before the block begins; empty: everything.
    """
    bootstrap = write_gateway_files(settings, folder)
    program = Path(sysconfig.get_path("scripts")) / "envoy"
    command = [program, "-c", bootstrap, "--disable-hot-restart", "--log-level", "warning"]
    log = folder / "envoy.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        address = f"127.0.0.1:{settings.health_port}"
        wait_until(
            lambda: process.poll() is not None or is_serving(address, service),
            "the gateway serves",
        )
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield
    finally:
        process.kill()
        process.wait()
