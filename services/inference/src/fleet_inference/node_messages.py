"""Converts node classes to messages."""

from fleet_engine import PortSpec
from fleet_engine.descriptions import NodeDescription
from fleet_inference.dtypes import WIRE_DTYPES
from fleet_inference.node_listing import ListedNodes
from fleet_inference.port_lists import PortListsResponse, with_port_lists
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

_BUILT_IN, _OF_A_PLUGIN = "builtin", "plugin"
_FIRST_PUBLISHED, _LAST_PUBLISHED = 0, -1


def to_nodes(listed: ListedNodes) -> pb.ListAvailableNodesResponse | PortListsResponse:
    """Return the node classes in the form that the session's client reads.

    A class that was published under two paths is listed under the one of the client's release, so
    that a pipeline built from the list also runs on published servers of that release.
    """
    which = _FIRST_PUBLISHED if listed.port_lists else _LAST_PUBLISHED
    response = pb.ListAvailableNodesResponse(
        nodes=[_to_node(node, node.paths[which]) for node in listed.nodes]
    )
    return with_port_lists(response) if listed.port_lists else response


def _to_node(node: NodeDescription, path: str) -> pb.NodeInfo:
    return pb.NodeInfo(
        class_name=node.class_name,
        full_path=path,
        source=_OF_A_PLUGIN if node.plugin else _BUILT_IN,
        plugin_name=node.plugin,
        input_specs={name: _to_port(name, port) for name, port in node.inputs.items()},
        output_specs={name: _to_port(name, port) for name, port in node.outputs.items()},
        icon_svg=node.icon_svg,
        category=pb.NodeCategory.Value(f"NODE_CATEGORY_{node.category.name}"),
        tags=[pb.NodeTag.Value(f"NODE_TAG_{tag.name}") for tag in node.tags],
    )


def _to_port(name: str, port: PortSpec) -> pb.PortSpec:
    number = WIRE_DTYPES.get(port.dtype, pb.D_TYPE_UNSPECIFIED) if port.dtype else 0
    return pb.PortSpec(
        name=name,
        dtype=pb.DType.ValueType(number),
        shape=port.shape,
        optional=port.optional,
        description=port.description,
        variadic=port.variadic,
    )
