"""What the nodes of a pipeline are called."""

from collections.abc import Container, Iterable

from fleet_platform.shown_text import shown
from fleet_schemas.pipeline import NodeConfig


def node_names(nodes: Iterable[NodeConfig]) -> list[str]:
    """The names that the nodes have in the built pipeline, in the config's order."""
    names: dict[str, None] = {}
    for node in nodes:
        names[unique_name(node.name, names)] = None
    return list(names)


def unique_name(name: str, taken: Container[str]) -> str:
    """Return `name`, or the first of ``name-1``, ``name-2``, ... that is free."""
    unique, count = name, 0
    while unique in taken:
        count += 1
        unique = f"{name}-{count}"
    return unique


def name_fault(name: str) -> str:
    """Say what is wrong with a node's name; empty: nothing."""
    if "." not in name:
        return ""
    return f"Node '{shown(name)}': a name must not hold a dot; write '_' in its place."
