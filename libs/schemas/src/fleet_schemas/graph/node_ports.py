"""The ports of a node, for the wiring of a pipeline."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fleet_schemas.graph.port_type import PortType


class NodePorts(NamedTuple):
    """The ports of one node.

    Attributes:
        kind: name of its class, for messages.
        inputs: input ports by name; None: the class is unknown and may have any port.
        outputs: output ports, likewise.
    """

    kind: str
    inputs: Mapping[str, PortType[Any]] | None
    outputs: Mapping[str, PortType[Any]] | None
