"""The connections of a pipeline, checked when it is built."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import networkx as nx

from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.graph.node import Node
from fleet_schemas import ConnectionConfig
from fleet_schemas.graph import NodePorts, connect


@dataclass(frozen=True, slots=True)
class Wiring:
    """The checked connections of a pipeline.

    Attributes:
        graph: the names of the nodes, in the config's order, with an edge per connected pair.
        sources: for each connected input ``(node, port)`` the outputs ``node.port`` that feed it.
    """

    graph: "nx.DiGraph[str]"
    sources: Mapping[tuple[str, str], tuple[str, ...]]


def wire(nodes: Mapping[str, Node], connections: Iterable[ConnectionConfig]) -> Wiring:
    """Check the connections against the nodes' ports.

    Raises:
        GraphInvalid: unknown node or port, incompatible types, two sources for a port, or a cycle.
    """
    ports = {
        name: NodePorts(node.kind, node.INPUT_SPECS, node.OUTPUT_SPECS)
        for name, node in nodes.items()
    }
    found = connect(ports, connections)
    if found.faults:
        raise GraphInvalid(found.faults[0])
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(found.edges)
    return Wiring(graph, found.sources)
