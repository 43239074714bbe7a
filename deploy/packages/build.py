"""Builds an sdist and a wheel of every package: ``python -m deploy.packages.build [FOLDER]``.

Builds are reproducible: each package is copied without files that tools have created, together with
the project's licence, and packed by hatchling with the time of ``SOURCE_DATE_EPOCH`` or, if that is
unset, with hatchling's constant time.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from deploy.packages.package import ROOT, Package, packages

_LEFT_BY_TOOLS = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", ".*", "dist", "build")


def build(built: Iterable[Package], target: Path, root: Path = ROOT) -> list[Path]:
    """Build distributions.

    Args:
        built: the packages to build.
        target: folder for sdists and wheels.
        root: folder of the licence.

    Returns:
        The files, sorted by name.

    Raises:
        subprocess.CalledProcessError: a package cannot be built; hatchling has printed the reason.
    """
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cuvis-fleet-build-") as scratch:
        for package in built:
            folder = Path(scratch) / package.name
            shutil.copytree(package.folder, folder, ignore=_LEFT_BY_TOOLS)
            shutil.copyfile(root / "LICENSE", folder / "LICENSE")
            hatchling = [sys.executable, "-m", "hatchling", "build", "-d", str(target.resolve())]
            subprocess.run(hatchling, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return sorted(target.iterdir())


if __name__ == "__main__":
    build(packages(), Path(sys.argv[1] if len(sys.argv) > 1 else "dist"))
