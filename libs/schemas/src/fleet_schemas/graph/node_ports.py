"""What the wiring of a pipeline has to know of a node."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fleet_schemas.graph.port_type import PortType


class NodePorts(NamedTuple):
    """The ports of one node.

    Attributes:
        kind: name of its class, for texts.
        inputs: by name; None: nobody here knows the class, and any port may be there.
        outputs: likewise.
    """

    kind: str
    inputs: Mapping[str, PortType[Any]] | None
    outputs: Mapping[str, PortType[Any]] | None
