"""The licences of everything that comes along: ``python -m deploy.packages.licences``.

Read from the metadata of what is installed, for all that the rooms and their extras require,
directly or through others.
"""

import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.packages.rooms import rooms

_OF_CLASSIFIER = "License :: OSI Approved :: "


def third_party(requirements: Iterable[str]) -> dict[str, Distribution]:
    """Installed distributions that `requirements` lead to, by canonical name.

    Requirements that do not hold on this platform, and extras that are not installed, are left out.
    """
    found: dict[str, Distribution] = {}
    asked: set[tuple[str, frozenset[str]]] = set()
    waiting = [(Requirement(text), frozenset({""})) for text in requirements]
    while waiting:
        requirement, extras = waiting.pop()
        name = canonicalize_name(requirement.name)
        wanted = frozenset({"", *requirement.extras})
        if (name, wanted) in asked or not _holds(requirement, extras):
            continue
        asked.add((name, wanted))
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue
        if not name.startswith("cuvis-fleet"):
            found[name] = installed
        waiting += [(Requirement(text), wanted) for text in installed.requires or ()]
    return dict(sorted(found.items()))


def licence(installed: Distribution) -> str:
    """Name of the licence, as the distribution tells it; empty: it tells none."""
    told = installed.metadata
    for expression in told.get_all("License-Expression") or ():
        return str(expression)
    classifiers = [
        each.removeprefix(_OF_CLASSIFIER)
        for each in told.get_all("Classifier") or ()
        if each.startswith(_OF_CLASSIFIER)
    ]
    texts = [text.strip().partition("\n")[0] for text in told.get_all("License") or ()]
    return ", ".join(classifiers or texts)


def table() -> str:
    """All of them as a table of Markdown."""
    requirements = (text for room in rooms() for text in room.requirements)
    lines = ["| package | version | licence |", "| --- | --- | --- |"]
    lines += [
        f"| {name} | {each.version} | {licence(each).replace('|', '/')} |"
        for name, each in third_party(requirements).items()
    ]
    return "\n".join(lines) + "\n"


def _holds(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


if __name__ == "__main__":
    sys.stdout.write(table())
