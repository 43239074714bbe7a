"""The rooms that become distributions, and what each says about itself."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FOLDERS = ("proto", "libs/*", "client", "services/*", "envoy", "deploy/local")


@dataclass(frozen=True)
class Room:
    """A folder with a ``pyproject.toml``.

    Attributes:
        folder: of the room, absolute.
        name: of its distribution.
        version: of its distribution.
        requirements: of its distribution, those of its extras included.
    """

    folder: Path
    name: str
    version: str
    requirements: tuple[str, ...]


def rooms(root: Path = ROOT) -> list[Room]:
    """All rooms below `root`, in the order in which they stand on one another."""
    files = [
        file for pattern in _FOLDERS for file in sorted(root.glob(f"{pattern}/pyproject.toml"))
    ]
    return [_read(file) for file in files]


def _read(file: Path) -> Room:
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {}).values()
    return Room(
        folder=file.parent,
        name=project["name"],
        version=project["version"],
        requirements=(*project["dependencies"], *(each for extra in extras for each in extra)),
    )
