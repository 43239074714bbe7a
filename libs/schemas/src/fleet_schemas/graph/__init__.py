"""Ports, wiring and built-in node classes of pipelines; none of it needs torch."""

from fleet_schemas.graph.built_in_node import BuiltInNode, built_in_classes, built_in_nodes
from fleet_schemas.graph.class_names import nearest_classes
from fleet_schemas.graph.connections import Connections, connect
from fleet_schemas.graph.hparam import HPARAMS_OF_EVERY_NODE, Hparam
from fleet_schemas.graph.node_names import name_fault, node_names, unique_name
from fleet_schemas.graph.node_ports import NodePorts
from fleet_schemas.graph.port_type import FREE, PortType

__all__ = [
    "FREE",
    "HPARAMS_OF_EVERY_NODE",
    "BuiltInNode",
    "Connections",
    "Hparam",
    "NodePorts",
    "PortType",
    "built_in_classes",
    "built_in_nodes",
    "connect",
    "name_fault",
    "nearest_classes",
    "node_names",
    "unique_name",
]
