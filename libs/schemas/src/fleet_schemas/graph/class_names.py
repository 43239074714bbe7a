"""Which classes somebody may have meant."""

import difflib
from collections.abc import Collection

_MOST_CHARACTERS = 200


def nearest_classes(path: str, known: Collection[str]) -> str:
    """Name the class paths most like `path`: by the class's own name, else by the whole path."""
    path = path[-_MOST_CHARACTERS:]
    classes = [each.rpartition(".")[2] for each in known]
    close = difflib.get_close_matches(path.rpartition(".")[2], classes, n=2, cutoff=0.7)
    names = [each for each in known if each.rpartition(".")[2] in close]
    return ", ".join(names or difflib.get_close_matches(path, known, n=2, cutoff=0.0))
