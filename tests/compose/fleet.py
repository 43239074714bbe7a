"""The fleet as started with compose."""

import json
import os
import subprocess
import uuid
from pathlib import Path

from fleet_local.readiness import is_serving
from fleet_platform.ports import free_ports
from tests.compose.engine import compose_command, docker
from tests.support.polling import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
SERVICES = ("gateway", "session", "config", "trainer", "inference")
_BUILD_WITHIN_S = 1500.0
_COMMAND_WITHIN_S = 300.0


class ComposeFleet:
    """One compose project with images, volumes and a port of its own."""

    def __init__(self, overrides: Path) -> None:
        """Prepare; nothing is started.

        Args:
            overrides: a compose file on top of the project's.
        """
        self._project = f"fleet-test-{uuid.uuid4().hex[:8]}"
        self._files = (REPOSITORY / "compose.yaml", overrides)
        port = free_ports(1)[0]
        self.address = f"127.0.0.1:{port}"
        """``host:port`` of the gateway."""
        self._environment = {
            **os.environ,
            "GRPC_PORT": str(port),
            # Kept from run to run: the engine builds anew only what has changed.
            "IMAGE_PREFIX": "cuvis-fleet-test",
        }

    def build(self) -> None:
        """Build all images."""
        self._compose("build", within_s=_BUILD_WITHIN_S)

    def scale(self, inference: int) -> None:
        """Start what is missing, and have so many inference replicas."""
        scale = ("--scale", f"inference={inference}")
        self._compose("up", "-d", "--no-build", "--no-recreate", *scale)

    def restart(self, service: str) -> None:
        """Stop and start the containers of a service."""
        self._compose("restart", service)

    def down(self) -> None:
        """Stop and remove everything but the images."""
        self._compose("down", "--volumes", "--remove-orphans")

    def image(self, service: str) -> dict[str, object]:
        """What the engine knows of a service's image."""
        name = f"{self._environment['IMAGE_PREFIX']}/{service}:latest"
        [found] = json.loads(docker("image", "inspect", name))
        return dict(found)

    def containers(self, service: str) -> list[str]:
        """Ids of a service's running containers."""
        return self._compose("ps", "-q", service).split()

    def state(self, container: str) -> dict[str, object]:
        """What the engine knows of a container."""
        [found] = json.loads(docker("container", "inspect", container))
        return dict(found)

    def log(self, container: str) -> str:
        """What a container has written to standard error."""
        done = subprocess.run(
            ["docker", "logs", container], check=True, capture_output=True, text=True, timeout=60
        )
        return done.stderr

    def run(self, service: str, *command: str) -> str:
        """What a command prints in a new container of a service's image, without the others."""
        return self._compose("run", "--rm", "--no-deps", "-T", service, *command)

    def wait_until_serving(self) -> None:
        """Wait until the gateway says SERVING for the whole fleet."""
        try:
            wait_until(lambda: is_serving(self.address), "the fleet serves", timeout_s=300)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._compose('logs', '--tail=20')}") from None

    def _compose(self, *arguments: str, within_s: float = _COMMAND_WITHIN_S) -> str:
        command = compose_command()
        assert command is not None
        files = [part for file in self._files for part in ("-f", str(file))]
        done = subprocess.run(
            [*command, "-p", self._project, *files, *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            env=self._environment,
            timeout=within_s,
        )
        output = f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        assert done.returncode == 0, f"compose {' '.join(arguments)}:\n{output}"
        return done.stdout
