"""Suggestions for misspelt class paths."""

import difflib
from collections.abc import Collection

_MAX_CHARACTERS = 200


def nearest_classes(path: str, known: Collection[str]) -> str:
    """Return the class paths most similar to `path`: by class name, otherwise by whole path."""
    path = path[-_MAX_CHARACTERS:]
    classes = [each.rpartition(".")[2] for each in known]
    close = difflib.get_close_matches(path.rpartition(".")[2], classes, n=2, cutoff=0.7)
    names = [each for each in known if each.rpartition(".")[2] in close]
    return ", ".join(names or difflib.get_close_matches(path, known, n=2, cutoff=0.0))
