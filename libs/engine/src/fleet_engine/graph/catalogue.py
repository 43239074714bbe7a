"""Which class a published class path means."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from torch import nn

from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_packages import import_node_class, is_allowed
from fleet_schemas.graph import nearest_classes

_CLASSES: dict[str, type[Node]] = {}

NodeT = TypeVar("NodeT", bound=Node)


def published(*paths: str) -> Callable[[type[NodeT]], type[NodeT]]:
    """Register a node class under the class paths that pipelines name it by."""

    def register(node_class: type[NodeT]) -> type[NodeT]:
        for path in paths:
            _CLASSES[path] = node_class
        return node_class

    return register


def catalogue() -> Mapping[str, type[Node]]:
    """All known class paths."""
    return MappingProxyType(_CLASSES)


def is_built_in(path: str) -> bool:
    """Whether a class path is one of ours."""
    return path in _CLASSES


def node_class(path: str) -> type[nn.Module]:
    """Find the class that a pipeline's `class_name` means.

    A built-in class comes first, even where the package that published the path is installed. A
    class that is not built in is imported, if `allow_node_packages` allows it; whether it follows
    a contract of nodes is not looked at.

    Raises:
        GraphInvalid: the path is unknown, and the text names the nearest known ones; or the class
            cannot be imported.
    """
    found = _CLASSES.get(path)
    if found is not None:
        return found
    if is_allowed(path):
        return import_node_class(path)
    known = sorted(_CLASSES, key=lambda each: each.rpartition(".")[2])
    raise GraphInvalid(
        f"Node class '{path}' is unknown; nearest known: {nearest_classes(path, known)}. "
        "A class of another package can be used once the operator names that package in "
        "NODE_PACKAGES."
    )
