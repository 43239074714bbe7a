"""Runs ``cuvis-fleet`` in a terminal, or as a program with JSON output."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.terminal import Terminal, terminal

PROGRAM = Path(sys.executable).with_name("cuvis-fleet")
DATA = ("data.cu3s_file_path=scene.npz", "data.annotation_json_path=null")

InTerminal = Callable[..., AbstractContextManager[Terminal]]


@dataclass(frozen=True)
class CommandLine:
    """Runs ``cuvis-fleet`` in a separate environment.

    Attributes:
        environment: environment of the program.
        folder: working folder of the program.
    """

    environment: Mapping[str, str]
    folder: Path

    def terminal(
        self, *arguments: str | Path, columns: int = 100, **variables: str
    ) -> AbstractContextManager[Terminal]:
        """Run it in a terminal."""
        environment = {**self.environment, **variables}
        command = [PROGRAM, *arguments]
        return terminal(command, environment, columns=columns, folder=self.folder)

    def shown(self, *arguments: str | Path, code: int = 0, columns: int = 100) -> str:
        """Return what it shows in a terminal; it must exit with `code`."""
        with self.terminal(*arguments, columns=columns) as running:
            ended = running.exit_code()
        assert ended == code, running.text
        return running.text

    def documents(self, *arguments: str | Path, code: int = 0) -> list[Any]:
        """Return the JSON objects that it prints without a terminal; it must exit with `code`."""
        done = subprocess.run(
            [PROGRAM, "--json", *arguments],
            env=dict(self.environment),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def environment_of(folder: Path, **variables: str) -> dict[str, str]:
    """Return an environment in which only `variables` refer to a fleet."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CUVIS_FLEET_") and name not in {"COLUMNS", "LINES", "NO_COLOR"}
    }
    return {
        **inherited,
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "XDG_STATE_HOME": str(folder / "state"),
        **variables,
    }


@pytest.fixture
def lonely(tmp_path: Path) -> CommandLine:
    """The command line without a server."""
    return CommandLine(environment_of(tmp_path, CUVIS_FLEET_ADDRESS="127.0.0.1:1"), tmp_path)


@pytest.fixture
def scene_of_the_user(lonely: CommandLine) -> str:
    """The name of a scene in the command line's working folder."""
    cube = np.random.default_rng(5).integers(0, 4000, (24, 24, 5), dtype=np.uint16)
    np.savez(lonely.folder / "scene.npz", cube=cube, wavelengths=np.linspace(450, 850, 5))
    return "scene.npz"
