"""A node class that pipelines may name."""

from dataclasses import dataclass

from cuvis_fleet.port import Port
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


@dataclass(frozen=True)
class NodeInfo:
    """A node class of the server.

    Attributes:
        class_name: without its package.
        full_path: as pipeline configurations name it.
        category: what it is for, such as ``model``.
        inputs: what it takes.
        outputs: what it gives.
        plugin: that provides it; empty: it is built in.
    """

    class_name: str
    full_path: str
    category: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    plugin: str

    @classmethod
    def from_wire(cls, info: pb.NodeInfo) -> "NodeInfo":
        """Read a message of the wire."""
        names = {value: name for name, value in pb.NodeCategory.items()}
        category = names.get(info.category, str(info.category))
        inputs, outputs = (
            tuple(Port.of_node(name, spec) for name, spec in sorted(specs.items()))
            for specs in (info.input_specs, info.output_specs)
        )
        return cls(
            class_name=info.class_name,
            full_path=info.full_path,
            category=category.removeprefix("NODE_CATEGORY_").lower(),
            inputs=inputs,
            outputs=outputs,
            plugin=info.plugin_name,
        )
