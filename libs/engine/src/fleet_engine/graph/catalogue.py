"""Which class a published class path means."""

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.graph.node import Node

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


def node_class(path: str) -> type[Node]:
    """Find the class that a pipeline's `class_name` means.

    Raises:
        GraphInvalid: the path is unknown; the text names the nearest known ones.
    """
    found = _CLASSES.get(path)
    if found is None:
        raise GraphInvalid(f"Node class '{path}' is unknown; nearest known: {_nearest(path)}.")
    return found


def _nearest(path: str) -> str:
    classes = [known.rpartition(".")[2] for known in _CLASSES]
    close = difflib.get_close_matches(path.rpartition(".")[2], classes, n=2, cutoff=0.7)
    names = [known for known in _CLASSES if known.rpartition(".")[2] in close]
    return ", ".join(names or difflib.get_close_matches(path, _CLASSES, n=2, cutoff=0.0))
