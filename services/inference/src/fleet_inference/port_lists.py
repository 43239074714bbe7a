"""``ListAvailableNodesResponse`` in the form that releases up to 0.4.1 read.

In those releases each value in the two maps of ``NodeInfo`` is a ``PortSpecList``; since 0.5.0 it
is a ``PortSpec``. The two are incompatible on the wire, so the older form has its message classes
in a separate descriptor pool, derived from the current contract with that one type changed.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from fleet_platform.stored_records import copied
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

PortListsResponse = Any
"""A message of the older form; its class exists only at run time."""

_PORT_MAPS = ("input_specs", "output_specs")


def with_port_lists(response: pb.ListAvailableNodesResponse) -> PortListsResponse:
    """Return the same nodes in the older form, each port as a list with one element."""
    older = _response_class()()
    for node in response.nodes:
        rest = copied(node)
        message = older.nodes.add()
        for field in _PORT_MAPS:
            rest.ClearField(field)  # type: ignore[arg-type]  # one of two names
        message.MergeFromString(rest.SerializeToString())
        for field in _PORT_MAPS:
            for name, port in getattr(node, field).items():
                lists = getattr(message, field)
                lists[name].specs.add().MergeFromString(port.SerializeToString())
    return older


@cache
def _response_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto()
    pb.DESCRIPTOR.CopyToProto(file)
    (node_info,) = (message for message in file.message_type if message.name == "NodeInfo")
    for entry in node_info.nested_type:
        (value,) = (field for field in entry.field if field.name == "value")
        value.type_name = ".cuvis_ai.v1.PortSpecList"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("cuvis_ai.v1.ListAvailableNodesResponse")
    return message_factory.GetMessageClass(descriptor)
