"""Workflows of published releases' clients, each run in its own environment."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from tests.support.published.environment import published_environment
from tests.support.published.wheels import source
from tests.support.sdk_stub import cu3s

CLIENTS = Path(__file__).with_name("clients")
WITHIN_S = 600.0


@dataclass(frozen=True)
class Release:
    """A release, as its clients use it.

    Attributes:
        version: of the published schemas.
        environment: the packages that its clients have.
        script: the workflow of its generation.
        flags: of the interpreter; helpers that import torch warn of things that are not ours.
        examples: version of cuvis-ai whose examples the client imports; None: none.
    """

    version: str
    environment: str
    script: str
    flags: tuple[str, ...] = ("-W", "error")
    examples: str | None = None

    @property
    def number(self) -> tuple[int, ...]:
        """The version, so that it can be compared."""
        return tuple(map(int, self.version.split(".")))

    @property
    def is_flat(self) -> bool:
        """Whether trainruns have flat settings and name their pipeline by path."""
        return self.number >= (0, 8)

    def variables(self, folder: Path) -> Mapping[str, str]:
        """Environment variables of the client."""
        paths = [] if self.examples is None else [cu3s.PYTHONPATH, _examples(self.examples)]
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
        }


RELEASES = {
    release.version: release
    for release in (
        Release("0.1.0", "schemas-0.1.0", "nested.py"),
        # Its helpers import the native SDK, which a stub replaces.
        Release("0.2.0", "cuvis-ai-0.4.0", "guide.py", flags=(), examples="0.4.0"),
        Release("0.5.2", "schemas-0.5.2", "nested.py"),
        Release("0.8.0", "schemas-0.8.0", "flat.py"),
        Release("0.9.0", "schemas-0.9.0", "flat.py"),
        Release("0.14.2", "cuvis-ai-0.19.3", "newest.py", flags=()),
    )
}


@dataclass(frozen=True)
class PublishedWorkflow:
    """The results of a client's workflow.

    Attributes:
        release: the client's.
        folder: contains the outputs of inference.
        facts: the other replies of the service.
    """

    release: Release
    folder: Path
    facts: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, release: Release, address: str, data_dir: Path, folder: Path) -> Self:
        """Run the client's workflow; `folder` is empty."""
        python = published_environment(release.environment)
        done = subprocess.run(
            [python, *release.flags, CLIENTS / release.script, address, data_dir, folder],
            check=False,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            env=dict(release.variables(folder)),
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        return cls(release, folder, facts)

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The outputs of one inference."""
        with np.load(self.folder / f"{name}.npz") as stored:
            return dict(stored)


def _examples(version: str) -> Path:
    return source("cuvis-ai", version) / "examples" / "grpc"
