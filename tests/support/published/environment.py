"""Virtual environments of published packages, built on first use under ``.peers/environments``."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from tests.support.published.wheels import PEERS

ENVIRONMENTS = PEERS / "environments"
REPOSITORY = PEERS.parent
DEADLINE_S = 600.0

_WIRE = (
    "grpcio==1.85.1",
    "protobuf==6.33.5",
    "typing-extensions==4.16.0",
    "numpy==2.4.6",
    "pydantic==2.14.3",
    "pydantic-core==2.50.4",
    "annotated-types==0.8.0",
    "typing-inspection==0.4.5",
    "pyyaml==6.0.3",
)
"""Imports of a published schema package and of scripts that use its messages."""

_CORE = (
    "cuvis-ai-core==0.2.0",
    "cuvis-ai-schemas==0.2.0",
    "antlr4-python3-runtime==4.9.3",
    "gitdb==4.0.12",
    "gitpython==3.2.1",
    "grpcio-health-checking==1.76.0",
    "lightning-utilities==0.15.3",
    "loguru==0.7.3",
    "omegaconf==2.3.1",
    "packaging==26.3",
    "pillow==13.0.0",
    "pytorch-lightning==2.6.6",
    "smmap==5.0.3",
    "torchmetrics==1.9.0",
    "tqdm==4.70.1",
)
"""Imports of the example clients of cuvis-ai 0.4.0 through ``cuvis_ai_core.grpc``. Not its whole
list of requirements: torchvision would bring another torch, and a stub replaces the native SDK."""

_SERVER = (
    "cuvis-ai==0.4.0",
    "absl-py==2.5.1",
    "aiohappyeyeballs==2.7.1",
    "aiohttp==3.14.5",
    "aiosignal==1.4.0",
    "attrs==26.1.0",
    "cloudpickle==3.1.3",
    "contourpy==1.3.3",
    "cycler==0.12.1",
    "dataclass-wizard==1.0.0",
    "fonttools==4.68.0",
    "frozenlist==1.8.0",
    "graphviz==0.21",
    "hydra-core==1.3.8",
    "idna==3.20",
    "imageio==2.38.1",
    "joblib==1.6.0",
    "kiwisolver==1.5.1",
    "lazy-loader==0.6",
    "markdown==3.11.3",
    "matplotlib==3.11.2",
    "multidict==7.2.1",
    "narwhals==2.29.0",
    "propcache==0.5.4",
    "pycocotools==2.0.11",
    "pyparsing==3.3.3",
    "python-dateutil==4.0.0",
    "python-dotenv==1.2.4",
    "scikit-image==0.26.0",
    "scikit-learn==1.9.1",
    "scipy==1.17.1",
    "tensorboard==2.21.0",
    "tensorboard-data-server==0.7.2",
    "threadpoolctl==3.8.0",
    "tifffile==2026.3.3",
    "tzdata==2026.6",
    "werkzeug==3.1.9",
    "yarl==1.25.1",
)
"""Further imports of the published nodes, trainers and server, except torchvision:
see `tests/support/sdk_stub/launch_published.py`."""


_BESIDE = (
    "cuvis-ai==0.4.0",
    "cuvis-ai-core==0.2.0",
    "cuvis-ai-schemas==0.2.0",
    "antlr4-python3-runtime==4.9.3",
    "cloudpickle==3.1.3",
    "dataclass-wizard==1.0.0",
    "gitdb==4.0.12",
    "gitpython==3.2.1",
    "graphviz==0.21",
    "hydra-core==1.3.8",
    "joblib==1.6.0",
    "loguru==0.7.3",
    "narwhals==2.29.0",
    "omegaconf==2.3.1",
    "pycocotools==2.0.11",
    "scikit-learn==1.9.1",
    "smmap==5.0.3",
    "threadpoolctl==3.8.0",
)
"""Imports of the published nodes and trainers that the engine does not have."""

_NEWEST = (
    "cuvis-ai==0.19.3",
    "cuvis-ai-core==0.18.6",
    "cuvis-ai-schemas==0.14.2",
    "antlr4-python3-runtime==4.9.3",
    "click==8.5.1",
    "defusedxml==0.7.1",
    "grpcio-health-checking==1.76.0",
    "lightning-utilities==0.15.3",
    "loguru==0.7.3",
    "omegaconf==2.3.1",
    "packaging==26.3",
    "pillow==13.0.0",
    "psutil==7.2.2",
    "pytorch-lightning==2.6.6",
    "tomli-w==1.2.0",
    "torchmetrics==1.9.0",
    "tqdm==4.70.1",
)
"""Imports of the newest release's client helpers, which share a package with its server."""


@dataclass(frozen=True)
class _Recipe:
    """The contents of an environment.

    Attributes:
        exact: distributions that are installed alone, without what they require.
        resolved: distributions that are installed with what they require.
        packages: folders of this project that are installed editable, with what they require.
        constraints: constraints file for `resolved` and `packages`, relative to the repository.
    """

    exact: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    constraints: str | None = None

    def digest(self) -> str:
        """Changes whenever the environment has to be built again."""
        files = [REPOSITORY / self.constraints] if self.constraints else []
        files += [REPOSITORY / package / "pyproject.toml" for package in self.packages]
        parts = [repr((self, sys.version)), *(file.read_text(encoding="utf-8") for file in files)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


_RECIPES = {
    "schemas-0.1.0": _Recipe(exact=("cuvis-ai-schemas==0.1.0", *_WIRE)),
    # The config models of 0.2.0 to 0.5.2 import torch.
    "schemas-0.5.2": _Recipe(
        exact=("cuvis-ai-schemas==0.5.2", *_WIRE), resolved=("torch==2.13.0",)
    ),
    "schemas-0.8.0": _Recipe(exact=("cuvis-ai-schemas==0.8.0", *_WIRE)),
    "schemas-0.9.0": _Recipe(exact=("cuvis-ai-schemas==0.9.0", *_WIRE)),
    "cuvis-ai-0.4.0": _Recipe(exact=(*_CORE, *_WIRE), resolved=("torch==2.13.0",)),
    "cuvis-ai-0.19.3": _Recipe(exact=(*_NEWEST, *_WIRE), resolved=("torch==2.13.0",)),
    "cuvis-ai-0.4.0-full": _Recipe(exact=(*_CORE, *_SERVER, *_WIRE), resolved=("torch==2.13.0",)),
    "engine-with-cuvis-ai-0.4.0": _Recipe(
        exact=_BESIDE,
        packages=("proto", "libs/platform", "libs/schemas", "libs/engine"),
        constraints="constraints.txt",
    ),
    "no-torch": _Recipe(
        packages=("proto", "libs/platform", "libs/schemas", "services/config", "services/session"),
        constraints="constraints.txt",
    ),
}


class EnvironmentUnavailableError(RuntimeError):
    """A peer's environment could not be built; the text says which and why."""


def published_environment(name: str, deadline_s: float = DEADLINE_S) -> Path:
    """Returns the Python of an environment, which is built on first use.

    Safe to call from several processes at once; one that was left half built is built again, and
    so is one whose pins have changed.

    Args:
        name: a release of ``cuvis-ai-schemas`` or ``cuvis-ai`` as ``schemas-0.9.0`` or
            ``cuvis-ai-0.4.0``, or another of the recipes.
        deadline_s: longest time to wait for another process's build and to build, in seconds.

    Returns:
        Path of its interpreter below ``.peers/environments``.

    Raises:
        EnvironmentUnavailableError: a distribution cannot be had, or the deadline has passed.
    """
    recipe = _RECIPES[name]
    folder = ENVIRONMENTS / name
    built = folder / ".built"
    python = folder / "bin" / "python"
    deadline = time.monotonic() + deadline_s
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(ENVIRONMENTS / f"{name}.lock", timeout=deadline_s):
            if not (built.exists() and built.read_text(encoding="utf-8") == recipe.digest()):
                _build(folder, python, recipe, deadline)
                built.write_text(recipe.digest(), encoding="utf-8")
    except Timeout as error:
        raise EnvironmentUnavailableError(
            f"{name}: another process builds it for too long"
        ) from error
    return python


def _build(folder: Path, python: Path, recipe: _Recipe, deadline: float) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _uv(["venv", "--python", sys.executable, str(folder)], deadline)
    install = ["pip", "install", "--python", str(python)]
    if recipe.resolved or recipe.packages:
        constraints = ["-c", recipe.constraints] if recipe.constraints else []
        editable = [f"-e./{package}" for package in recipe.packages]
        _uv([*install, *constraints, *recipe.resolved, *editable], deadline)
    if recipe.exact:
        _uv([*install, "--no-deps", *recipe.exact], deadline)


def _uv(arguments: list[str], deadline: float) -> None:
    environment = dict(os.environ)
    # uv finds wheels in a local folder (a CPU build of torch, say) as pip does.
    if "PIP_FIND_LINKS" in environment:
        environment.setdefault("UV_FIND_LINKS", environment["PIP_FIND_LINKS"])
    command = " ".join(["uv", *arguments])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "uv", *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            timeout=max(deadline - time.monotonic(), 1.0),
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentUnavailableError(f"{command}: not done in time") from error
    if done.returncode:
        raise EnvironmentUnavailableError(f"{command}: {done.stderr.strip()}")
