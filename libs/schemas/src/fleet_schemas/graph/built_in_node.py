"""The built-in node classes, as ``built_in_nodes.json`` tells of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from fleet_schemas.graph.hparam import Hparam
from fleet_schemas.graph.node_ports import NodePorts
from fleet_schemas.graph.port_type import PortType


@dataclass(frozen=True, slots=True)
class BuiltInNode:
    """A node class of the engine; ``libs/schemas/generate.py`` writes it down from there.

    Attributes:
        class_name: its name without a package.
        paths: dotted paths that mean it, in the order in which they were published.
        summary: what it does, one sentence.
        category: what it is for, in the wire's words.
        tags: its keywords, in the wire's words.
        stages: when it runs, unless a pipeline says otherwise.
        inputs: input ports by name.
        outputs: output ports by name.
        hparams: its hyperparameters by name, without those that every node has.
        trainable_buffers: keys of its state that gradient training may unfreeze.
    """

    class_name: str
    paths: tuple[str, ...]
    summary: str
    category: str
    tags: tuple[str, ...]
    stages: tuple[str, ...]
    inputs: Mapping[str, PortType[str]]
    outputs: Mapping[str, PortType[str]]
    hparams: Mapping[str, Hparam]
    trainable_buffers: tuple[str, ...]

    @property
    def ports(self) -> NodePorts:
        """What the wiring has to know of it."""
        return NodePorts(self.class_name, self.inputs, self.outputs)


@cache
def built_in_nodes() -> tuple[BuiltInNode, ...]:
    """Every class once, in the order of their names."""
    text = (files("fleet_schemas.graph") / "built_in_nodes.json").read_text(encoding="utf-8")
    return tuple(_node(**fields) for fields in json.loads(text))


@cache
def built_in_classes() -> Mapping[str, BuiltInNode]:
    """The classes by each path that means one."""
    return MappingProxyType({path: node for node in built_in_nodes() for path in node.paths})


def _node(**fields: Any) -> BuiltInNode:
    for key in ("paths", "tags", "stages", "trainable_buffers"):
        fields[key] = tuple(fields[key])
    for side in ("inputs", "outputs"):
        fields[side] = {name: _port(**port) for name, port in fields[side].items()}
    fields["hparams"] = {name: Hparam(**each) for name, each in fields["hparams"].items()}
    return BuiltInNode(**fields)


def _port(shape: list[int], **fields: Any) -> PortType[str]:
    return PortType(shape=tuple(shape), **fields)
