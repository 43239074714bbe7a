"""Which command runs the stack on a machine."""

import importlib.util
import shutil
import sys

import pytest

from cuvis_fleet.cli.commands.up import stack_command
from cuvis_fleet.cli.failures import CommandFailed


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Sets what is installed and whether there is a compose file."""
    monkeypatch.chdir(tmp_path)

    def has(*, packages=False, docker=None, compose=False):
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: object() if packages else None
        )
        monkeypatch.setattr(shutil, "which", lambda name: docker)
        if compose:
            (tmp_path / "compose.yaml").write_text("services: {}\n", encoding="utf-8")

    return has


def test_installed_packages_come_first(machine):
    machine(packages=True, docker="/bin/docker", compose=True)
    assert stack_command(2) == [sys.executable, "-m", "fleet_local"]


def test_containers_come_second(machine):
    machine(docker="/bin/docker", compose=True)
    expected = ["/bin/docker", "compose", "up", "--scale", "inference=2"]
    assert stack_command(2) == expected


@pytest.mark.parametrize(
    ("docker", "lacking"),
    [(None, "docker is not installed"), ("/bin/docker", "this folder has no compose.yaml")],
)
def test_the_error_names_what_is_missing(machine, docker, lacking):
    machine(docker=docker)
    with pytest.raises(CommandFailed, match=lacking) as failed:
        stack_command(1)
    assert failed.value.code == 15
