"""Descriptions of node classes for authors of pipelines."""

from collections.abc import Iterable
from dataclasses import dataclass

from fleet_engine.descriptions.icon import icon_svg
from fleet_engine.graph.catalogue import catalogue
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports


@dataclass(frozen=True, slots=True)
class NodeDescription:
    """A node class that pipelines may name.

    Attributes:
        class_name: name without a package.
        paths: dotted paths of the class, in the order in which they were published.
        inputs: input ports by name.
        outputs: output ports by name.
        category: purpose of the node.
        tags: keywords.
        icon_svg: an SVG document.
        plugin: name of the plugin that provides it; empty for built-in classes.
    """

    class_name: str
    paths: tuple[str, ...]
    inputs: Ports
    outputs: Ports
    category: NodeCategory
    tags: tuple[NodeTag, ...]
    icon_svg: bytes
    plugin: str = ""


def built_in_nodes() -> list[NodeDescription]:
    """Return a description of each built-in class, sorted by name."""
    paths: dict[type[Node], tuple[str, ...]] = {}
    for path, kind in catalogue().items():
        paths[kind] = (*paths.get(kind, ()), path)
    return sorted(map(_describe, paths, paths.values()), key=lambda node: node.class_name)


def _describe(kind: type[Node], paths: Iterable[str]) -> NodeDescription:
    return NodeDescription(
        class_name=kind.__name__,
        paths=tuple(paths),
        inputs=kind.INPUT_SPECS,
        outputs=kind.OUTPUT_SPECS,
        category=kind.CATEGORY,
        tags=(*kind.TAGS, NodeTag.TORCH),
        icon_svg=icon_svg(kind.CATEGORY),
    )
