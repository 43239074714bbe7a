"""Which output feeds which input, checked when the pipeline is built."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import networkx as nx

from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.graph.node import Node
from fleet_engine.graph.port_spec import PortSpec
from fleet_schemas import ConnectionConfig


@dataclass(frozen=True, slots=True)
class Wiring:
    """The checked connections of a pipeline.

    Attributes:
        graph: the nodes' names, in the config's order, and one edge per pair that is connected.
        sources: for each connected input ``(node, port)`` the outputs ``node.port`` that feed it.
    """

    graph: "nx.DiGraph[str]"
    sources: Mapping[tuple[str, str], tuple[str, ...]]


def wire(nodes: Mapping[str, Node], connections: Iterable[ConnectionConfig]) -> Wiring:
    """Check the connections against the nodes' ports.

    Raises:
        GraphInvalid: unknown node or port, clash of types, two sources on one port, or a cycle.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    sources: dict[tuple[str, str], tuple[str, ...]] = {}
    for index, connection in enumerate(connections):
        place = f"Connection {index} ({connection.source} -> {connection.target})"
        given = _port(place, nodes, connection.source_node, connection.source_port, "output")
        taken = _port(place, nodes, connection.target_node, connection.target_port, "input")
        if not taken.takes(given):
            raise GraphInvalid(f"{place}: the output gives {given}, the input takes {taken}.")
        target = (connection.target_node, connection.target_port)
        source = f"{connection.source_node}.{connection.source_port}"
        known = sources.get(target, ())
        if source in known:
            continue
        if known and not taken.variadic:
            raise GraphInvalid(
                f"{place}: the input is already fed by {known[0]}; it takes one source only."
            )
        sources[target] = (*known, source)
        graph.add_edge(connection.source_node, connection.target_node)
    _refuse_cycle(graph)
    return Wiring(graph, sources)


def _port(place: str, nodes: Mapping[str, Node], name: str, port: str, side: str) -> PortSpec:
    node = nodes.get(name)
    if node is None:
        raise GraphInvalid(
            f"{place}: there is no node '{name}'.{_nearest(name, nodes)} "
            f"Nodes: {', '.join(nodes) or 'none'}."
        )
    specs = node.INPUT_SPECS if side == "input" else node.OUTPUT_SPECS
    if port not in specs:
        raise GraphInvalid(
            f"{place}: node '{name}' ({node.kind}) has no {side} '{port}'."
            f"{_nearest(port, specs)} Its {side}s: {', '.join(specs) or 'none'}."
        )
    return specs[port]


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


def _refuse_cycle(graph: "nx.DiGraph[str]") -> None:
    if nx.is_directed_acyclic_graph(graph):
        return
    around = [source for source, _ in nx.find_cycle(graph)]
    raise GraphInvalid(
        f"The connections form a cycle: {' -> '.join([*around, around[0]])}. "
        "Remove one of them; a node can only use what was computed before it."
    )
