"""Copies the version from the file ``VERSION`` to all files that contain it.

``python -m deploy.packages.version`` writes it to the ``pyproject.toml`` of every package, to the
pins between packages and to the labels of the images; with ``--check`` it only fails if a file
contains a different version.

Each package has to be buildable alone, from its sdist or in a container's layer, so it cannot read
its version from a file outside of its folder.
"""

import re
import sys
from pathlib import Path

from deploy.packages.package import ROOT, packages

_PLACES = re.compile(
    r'(?P<before>^version = "|cuvis-fleet-[a-z]+==|image\.version=")[^"\s,\]]+', re.MULTILINE
)


def stamped(text: str, version: str) -> str:
    """Return `text` with every version replaced by `version`."""
    return _PLACES.sub(lambda found: found["before"] + version, text)


def files(root: Path = ROOT) -> list[Path]:
    """Return all files that contain the version."""
    projects = [package.folder / "pyproject.toml" for package in packages(root)]
    return [*projects, *sorted(root.glob("*/Dockerfile"))]


def version(root: Path = ROOT) -> str:
    """Return the version of the project."""
    return (root / "VERSION").read_text(encoding="utf-8").strip()


def main(arguments: list[str]) -> int:
    """Run the command; return the exit status."""
    current = version()
    wrong = {
        file: text
        for file in files()
        if (text := stamped(old := file.read_text(encoding="utf-8"), current)) != old
    }
    if "--check" in arguments:
        for file in wrong:
            sys.stderr.write(
                f"{file.relative_to(ROOT)} does not have version {current} of VERSION\n"
            )
        if wrong:
            sys.stderr.write("Run: python -m deploy.packages.version\n")
        return 1 if wrong else 0
    for file, text in wrong.items():
        file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
