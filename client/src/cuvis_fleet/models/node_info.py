"""A node class that pipelines can use."""

from dataclasses import dataclass

from cuvis_fleet.models.port import Port
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


@dataclass(frozen=True)
class NodeInfo:
    """A node class of the server.

    Attributes:
        class_name: name of the class without its package.
        full_path: the name that pipeline configurations use.
        category: purpose of the node, such as ``model``.
        inputs: its input ports.
        outputs: its output ports.
        plugin: name of the plugin that provides it; empty: built in.
    """

    class_name: str
    full_path: str
    category: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    plugin: str

    @classmethod
    def from_wire(cls, info: pb.NodeInfo) -> "NodeInfo":
        """Create from a message."""
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
