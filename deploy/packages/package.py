"""The packages that become distributions, with the metadata of each one."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FOLDERS = ("proto", "libs/*", "client", "services/*", "envoy", "deploy/local")


@dataclass(frozen=True)
class Package:
    """A folder with a ``pyproject.toml``.

    Attributes:
        folder: absolute path of the folder.
        name: name of the distribution.
        version: version of the distribution.
        requirements: requirements of the distribution, including those of its extras.
    """

    folder: Path
    name: str
    version: str
    requirements: tuple[str, ...]


def packages(root: Path = ROOT) -> list[Package]:
    """Return all packages below `root`, each one after those that it depends on."""
    files = [
        file for pattern in _FOLDERS for file in sorted(root.glob(f"{pattern}/pyproject.toml"))
    ]
    return [_read(file) for file in files]


def _read(file: Path) -> Package:
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {}).values()
    return Package(
        folder=file.parent,
        name=project["name"],
        version=project["version"],
        requirements=(*project["dependencies"], *(each for extra in extras for each in extra)),
    )
