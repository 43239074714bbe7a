"""What a node is called when its name is taken."""

from collections.abc import Container


def unique_name(name: str, taken: Container[str]) -> str:
    """Return `name`, or the first of ``name-1``, ``name-2``, ... that is free."""
    unique, count = name, 0
    while unique in taken:
        count += 1
        unique = f"{name}-{count}"
    return unique
