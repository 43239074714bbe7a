"""Lists the licences of all dependencies: ``python -m deploy.packages.licences``.

They are read from the metadata of the installed distributions, for all direct and transitive
requirements of the packages and their extras.
"""

import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.packages.package import packages

_OF_CLASSIFIER = "License :: OSI Approved :: "


def third_party(requirements: Iterable[str]) -> dict[str, Distribution]:
    """Return the installed direct and transitive dependencies, by canonical name.

    Requirements whose markers do not apply here, and extras that are not installed, are omitted.
    """
    found: dict[str, Distribution] = {}
    asked: set[tuple[str, frozenset[str]]] = set()
    waiting = [(Requirement(text), frozenset({""})) for text in requirements]
    while waiting:
        requirement, extras = waiting.pop()
        name = canonicalize_name(requirement.name)
        wanted = frozenset({"", *requirement.extras})
        if (name, wanted) in asked or not _applies(requirement, extras):
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
    """Return the name of the licence from the metadata; empty if it has none."""
    metadata = installed.metadata
    for expression in metadata.get_all("License-Expression") or ():
        return str(expression)
    classifiers = [
        each.removeprefix(_OF_CLASSIFIER)
        for each in metadata.get_all("Classifier") or ()
        if each.startswith(_OF_CLASSIFIER)
    ]
    texts = [text.strip().partition("\n")[0] for text in metadata.get_all("License") or ()]
    return ", ".join(classifiers or texts)


def table() -> str:
    """Return a Markdown table of all licences."""
    requirements = (text for package in packages() for text in package.requirements)
    lines = ["| package | version | licence |", "| --- | --- | --- |"]
    lines += [
        f"| {name} | {each.version} | {licence(each).replace('|', '/')} |"
        for name, each in third_party(requirements).items()
    ]
    return "\n".join(lines) + "\n"


def _applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


if __name__ == "__main__":
    sys.stdout.write(table())
