"""Names of the nodes in a pipeline."""

from collections.abc import Container, Iterable

from fleet_platform.shown_text import shown
from fleet_schemas.pipeline import NodeConfig


def node_names(nodes: Iterable[NodeConfig]) -> list[str]:
    """Return the names of the nodes in the built pipeline, in the config's order."""
    names: dict[str, None] = {}
    for node in nodes:
        names[unique_name(node.name, names)] = None
    return list(names)


def unique_name(name: str, taken: Container[str]) -> str:
    """Return `name`, or the first of ``name-1``, ``name-2``, ... that is not taken."""
    unique, count = name, 0
    while unique in taken:
        count += 1
        unique = f"{name}-{count}"
    return unique


def name_fault(name: str) -> str:
    """Return what is wrong with the name of a node, or an empty string."""
    if "." not in name:
        return ""
    return f"Node '{shown(name)}': a name must not contain a dot; use '_' instead."
