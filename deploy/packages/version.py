"""Write the version of the file ``VERSION`` wherever a tool reads one.

``python -m deploy.packages.version`` writes it into every room's ``pyproject.toml``, into the pins
of rooms on one another and into the labels of the images; with ``--check`` it writes nothing and
fails where another one stands.

Each room stays a distribution that builds by itself, from its sdist as from a container's layer,
which a version read from a file outside of the room would break.
"""

import re
import sys
from pathlib import Path

from deploy.packages.rooms import ROOT, rooms

_PLACES = re.compile(
    r'(?P<before>^version = "|cuvis-fleet-[a-z]+==|image\.version=")[^"\s,\]]+', re.MULTILINE
)


def stamped(text: str, version: str) -> str:
    """`text` with `version` at all its places."""
    return _PLACES.sub(lambda found: found["before"] + version, text)


def files(root: Path = ROOT) -> list[Path]:
    """Every file that tells the version."""
    folders = [room.folder for room in rooms(root)]
    told = [folder / name for folder in folders for name in ("pyproject.toml", "Dockerfile")]
    return [file for file in told if file.is_file()]


def version(root: Path = ROOT) -> str:
    """The version of everything."""
    return (root / "VERSION").read_text(encoding="utf-8").strip()


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit status."""
    current = version()
    wrong = {
        file: text
        for file in files()
        if (text := stamped(old := file.read_text(encoding="utf-8"), current)) != old
    }
    if "--check" in arguments:
        for file in wrong:
            sys.stderr.write(f"{file.relative_to(ROOT)} does not say {current}, as VERSION does\n")
        if wrong:
            sys.stderr.write("Run: python -m deploy.packages.version\n")
        return 1 if wrong else 0
    for file, text in wrong.items():
        file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
