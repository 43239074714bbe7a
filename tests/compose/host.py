"""One host of a swarm."""

import subprocess


class Host:
    """The engine of a host, asked at its address."""

    def __init__(self, address: str) -> None:
        """Prepare.

        Args:
            address: as DOCKER_HOST takes it.
        """
        self.address = address

    def docker(self, *arguments: str) -> str:
        """What a command prints; one that fails fails the test with its words."""
        done = self._ask(*arguments)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def try_docker(self, *arguments: str) -> None:
        """Run a command that may fail, because what it is about may be gone already."""
        self._ask(*arguments)

    def has_image(self, name: str) -> bool:
        """Whether an image is here."""
        return self._ask("image", "inspect", name).returncode == 0

    def take_image(self, name: str, other: "Host") -> None:
        """Copy an image from another host, as from a registry."""
        wanted = other.docker("image", "inspect", "-f", "{{.Id}}", name)
        if self.has_image(name) and wanted == self.docker(
            "image", "inspect", "-f", "{{.Id}}", name
        ):
            return
        with subprocess.Popen(
            ["docker", "-H", other.address, "save", name], stdout=subprocess.PIPE
        ) as saving:
            loading = ["docker", "-H", self.address, "load", "--quiet"]
            subprocess.run(loading, stdin=saving.stdout, check=True, timeout=900)
        assert saving.returncode == 0

    def node_id(self) -> str:
        """This engine's id in its swarm."""
        return self.docker("info", "--format", "{{.Swarm.NodeID}}")

    def _ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", "-H", self.address, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
