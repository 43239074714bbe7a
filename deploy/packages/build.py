"""Build an sdist and a wheel of every room: ``python -m deploy.packages.build [FOLDER]``.

The same code gives the same bytes, wherever and whenever it is built: each room is copied without
what tools left in it, gets the project's licence, and is packed by hatchling with the time of
``SOURCE_DATE_EPOCH`` or, where that is unset, with hatchling's constant one.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from deploy.packages.rooms import ROOT, Room, rooms

_LEFT_BY_TOOLS = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", ".*", "dist", "build")


def build(built: Iterable[Room], target: Path, root: Path = ROOT) -> list[Path]:
    """Build distributions.

    Args:
        built: the rooms to build.
        target: folder for sdists and wheels.
        root: where the licence lies.

    Returns:
        The files, sorted by name.

    Raises:
        subprocess.CalledProcessError: a room cannot be built; hatchling has said why.
    """
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cuvis-fleet-build-") as scratch:
        for room in built:
            folder = Path(scratch) / room.name
            shutil.copytree(room.folder, folder, ignore=_LEFT_BY_TOOLS)
            shutil.copyfile(root / "LICENSE", folder / "LICENSE")
            hatchling = [sys.executable, "-m", "hatchling", "build", "-d", str(target.resolve())]
            subprocess.run(hatchling, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return sorted(target.iterdir())


if __name__ == "__main__":
    build(rooms(), Path(sys.argv[1] if len(sys.argv) > 1 else "dist"))
