"""Print what rooms need from a package index: ``python third_party.py ROOM...``.

Image builds install it before they copy any code, so that a change of code leaves the layer of
third-party packages as it is. Reads nothing but the rooms' ``pyproject.toml`` files and follows
their requirements of other rooms; needs nothing but the standard library.
"""

import re
import sys
import tomllib
from pathlib import Path

_ROOM = re.compile(r"cuvis-fleet-([a-z]+)==")


def third_party(rooms: list[str], root: Path) -> list[str]:
    """Requirements of `rooms` (folders below `root`) and of the rooms they stand on, sorted."""
    found: set[str] = set()
    seen: set[Path] = set()
    waiting = [root / room for room in rooms]
    while waiting:
        room = waiting.pop()
        if room in seen:
            continue
        seen.add(room)
        project = tomllib.loads((room / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for requirement in project["dependencies"]:
            other = _ROOM.match(requirement)
            if other is None:
                found.add(requirement)
            else:
                waiting.append(_folder(other[1], root))
    return sorted(found)


def _folder(name: str, root: Path) -> Path:
    """The room whose distribution is ``cuvis-fleet-<name>``."""
    for pattern in ("{}", "libs/{}"):
        folder = root / pattern.format(name)
        if (folder / "pyproject.toml").is_file():
            return folder
    raise FileNotFoundError(f"the room {name} is not below {root}: copy its pyproject.toml there")


if __name__ == "__main__":
    sys.stdout.write("\n".join(third_party(sys.argv[1:], Path.cwd())) + "\n")
