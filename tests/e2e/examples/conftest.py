"""Runs the examples as a user does, in separate processes, against one stack."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleet_local.background import BackgroundStack, background_stack
from fleet_platform.ports import free_ports
from tests.support.stacks import REPOSITORY, stack_environment

EXAMPLES = REPOSITORY / "examples"

Example = Callable[..., str]


@pytest.fixture(scope="package")
def example_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of the examples, with the stack's data folder."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "data").mkdir()
    return folder


@pytest.fixture(scope="package")
def example_stack(example_dir: Path) -> Iterator[BackgroundStack]:
    """A fresh stack, without data."""
    environment = stack_environment(example_dir, example_dir / "data", {})
    with background_stack(free_ports(1)[0], example_dir / "run", environment) as running:
        yield running


@pytest.fixture(scope="package")
def example(example_stack: BackgroundStack, example_dir: Path) -> Example:
    """``example("grpc/run_inference.py", ...)``: the output of the script."""

    def run(script: str, *arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, EXAMPLES / script, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
            cwd=example_dir,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
