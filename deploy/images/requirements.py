"""Prints what the images of services install.

``python requirements.py third-party PACKAGE...``: requirements from a package index. Image builds
install these before they copy any code, so that a change of code does not invalidate their layer.
``python requirements.py libraries PACKAGE...``: folders of the project's packages that these need.

Reads only the ``pyproject.toml`` files of packages and needs only the standard library.
"""

import re
import sys
import tomllib
from pathlib import Path

_OWN = re.compile(r"cuvis-fleet-([a-z]+)==")


def third_party(packages: list[str], root: Path) -> list[str]:
    """Return the third-party requirements of packages and of the packages they depend on, sorted.

    Args:
        packages: folders relative to `root`.
        root: root folder of the project.
    """
    return _resolve(packages, root)[0]


def libraries(packages: list[str], root: Path) -> list[str]:
    """Return the folders of the project's packages that `packages` depend on, sorted."""
    return _resolve(packages, root)[1]


def _resolve(packages: list[str], root: Path) -> tuple[list[str], list[str]]:
    found: set[str] = set()
    seen: set[Path] = set()
    pending = [root / package for package in packages]
    while pending:
        package = pending.pop()
        if package in seen:
            continue
        seen.add(package)
        project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for requirement in project["dependencies"]:
            own = _OWN.match(requirement)
            if own is None:
                found.add(requirement)
            else:
                pending.append(_folder(own[1], root))
    depended_on = {f"./{each.relative_to(root)}" for each in seen}
    return sorted(found), sorted(depended_on - {f"./{package}" for package in packages})


def _folder(name: str, root: Path) -> Path:
    """Return the folder of the distribution ``cuvis-fleet-<name>``."""
    for pattern in ("{}", "libs/{}"):
        folder = root / pattern.format(name)
        if (folder / "pyproject.toml").is_file():
            return folder
    raise FileNotFoundError(f"package {name} is not in {root}: copy its pyproject.toml there")


if __name__ == "__main__":
    kind, *packages = sys.argv[1:]
    resolve = {"third-party": third_party, "libraries": libraries}[kind]
    sys.stdout.write("\n".join(resolve(packages, Path.cwd())) + "\n")
