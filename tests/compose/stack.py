"""The fleet as deployed to the hosts of a swarm."""

import os
import subprocess
import uuid
from pathlib import Path

from fleet_local.readiness import is_serving
from fleet_platform.ports import free_ports
from tests.compose.fleet import REPOSITORY
from tests.compose.host import Host
from tests.support.polling import wait_until

_FILES = ("compose.yaml", "compose.swarm.yaml")


class Stack:
    """One deployed stack with a port, an overlay network and volumes of its own."""

    def __init__(self, host: Host, folder: Path, image_prefix: str) -> None:
        """Prepare; nothing is deployed.

        Args:
            host: a manager of the swarm.
            folder: holds ``data``, ``outputs`` and ``artifacts``, at one path on all hosts.
            image_prefix: of images that are built.
        """
        self._host = host
        self._name = f"fleet-test-{uuid.uuid4().hex[:8]}"
        port = free_ports(1)[0]
        self.address = f"127.0.0.1:{port}"
        """``host:port`` of the gateway."""
        self._settings = {
            "GRPC_PORT": str(port),
            "IMAGE_PREFIX": image_prefix,
            "DATA_DIR": f"{folder}/data",
            "OUTPUT_DIR": f"{folder}/outputs",
            "ARTIFACT_DIR": f"{folder}/artifacts",
            "TORCH_THREADS": "1",
        }

    def deploy(self) -> None:
        """Create or change the services; images are those that each host has."""
        files = [part for file in _FILES for part in ("-c", str(REPOSITORY / file))]
        done = subprocess.run(
            ["docker", "stack", "deploy", "--resolve-image", "never", *files, self._name],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "DOCKER_HOST": self._host.address, **self._settings},
            timeout=120,
        )
        assert done.returncode == 0, done.stderr

    def wait_until_serving(self) -> None:
        """Wait until the gateway says SERVING for the whole fleet."""
        try:
            wait_until(lambda: is_serving(self.address), "the stack serves", timeout_s=180)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.tasks()}") from None

    def tasks(self) -> str:
        """All tasks of all services, on which host each is, and why it does not run."""
        return self._host.docker("stack", "ps", "--no-trunc", self._name)

    def scale(self, inference: int) -> None:
        """Want so many replicas; does not wait for them."""
        replicas = f"{self._name}_inference={inference}"
        self._host.docker("service", "scale", "--detach", replicas)

    def replicas(self, node_id: str) -> int:
        """How many inference replicas are meant to run, and do, on a node."""
        wanted = ("--filter", f"node={node_id}", "--filter", "desired-state=running")
        service, what = f"{self._name}_inference", "{{.CurrentState}}"
        states = self._host.docker("service", "ps", service, *wanted, "--format", what)
        return sum(state.startswith("Running") for state in states.splitlines())

    def remove(self) -> None:
        """Stop and remove everything but the images."""
        self._host.docker("stack", "rm", self._name)
        label = f"label=com.docker.stack.namespace={self._name}"
        listed = ("ps", "-aq", "--filter", label)
        wait_until(lambda: not self._host.docker(*listed), "containers are gone", timeout_s=120)
        volumes = self._host.docker("volume", "ls", "-q", "--filter", label).split()
        if volumes:
            self._host.docker("volume", "rm", *volumes)
