"""Registry of the built-in node classes by their class paths."""

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
    """Return a decorator that registers a node class under the class paths used by pipelines."""

    def register(node_class: type[NodeT]) -> type[NodeT]:
        for path in paths:
            _CLASSES[path] = node_class
        return node_class

    return register


def catalogue() -> Mapping[str, type[Node]]:
    """Return the built-in classes by class path."""
    return MappingProxyType(_CLASSES)


def is_built_in(path: str) -> bool:
    """Return whether a class path names a built-in class."""
    return path in _CLASSES


def node_class(path: str) -> type[nn.Module]:
    """Return the class of a pipeline's `class_name`.

    Built-in classes take precedence, even if the package that published the path is installed. Any
    other class is imported if `allow_node_packages` allows it, without checking the node contract.

    Raises:
        GraphInvalid: the path is unknown (the text names the nearest known ones), or the class
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
