"""Checks the connections of a pipeline."""

import difflib
import graphlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fleet_platform.shown_text import shown
from fleet_schemas.graph.node_ports import NodePorts
from fleet_schemas.graph.port_type import PortType
from fleet_schemas.pipeline import ConnectionConfig

MAX_FAULTS = 50
_MAX_NAMED = 20


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections of a pipeline, checked against the ports of its nodes.

    Attributes:
        sources: for each connected input ``(node, port)`` the outputs ``node.port`` that feed it.
        edges: the connected pairs of nodes, source first, in the config's order.
        faults: one sentence for each fault, at most 50; empty: the graph is valid.
    """

    sources: Mapping[tuple[str, str], tuple[str, ...]]
    edges: tuple[tuple[str, str], ...]
    faults: tuple[str, ...]


def connect(nodes: Mapping[str, NodePorts], connections: Iterable[ConnectionConfig]) -> Connections:
    """Check connections against the ports of the nodes.

    Faults are unknown nodes or ports, incompatible types, two sources for one input port, and
    cycles. A faulty connection feeds nothing. A port of an unknown class is assumed to exist and to
    match.
    """
    sources: dict[tuple[str, str], tuple[str, ...]] = {}
    edges: dict[tuple[str, str], None] = {}
    faults: list[str] = []
    for index, connection in enumerate(connections):
        if len(faults) >= MAX_FAULTS:
            break
        place = f"Connection {index} ({shown(connection.source)} -> {shown(connection.target)})"
        try:
            _add(nodes, connection, sources)
            edges[connection.source_node, connection.target_node] = None
        except _Fault as fault:
            faults.append(f"{place}: {fault}")
    cycle = _cycle(nodes, edges)
    if cycle and len(faults) < MAX_FAULTS:
        faults.append(
            f"The connections form a cycle: {_listed(cycle, ' -> ')}. "
            "Remove one of them; a node can only use what was computed before it."
        )
    return Connections(sources, tuple(edges), tuple(faults))


class _Fault(Exception):
    """A connection is invalid; the text gives the reason."""


def _add(
    nodes: Mapping[str, NodePorts],
    connection: ConnectionConfig,
    sources: dict[tuple[str, str], tuple[str, ...]],
) -> None:
    giver = _node(nodes, connection.source_node)
    given = _port(giver.outputs, giver, connection.source_node, connection.source_port, "output")
    taker = _node(nodes, connection.target_node)
    taken = _port(taker.inputs, taker, connection.target_node, connection.target_port, "input")
    if given and taken and not taken.takes(given):
        raise _Fault(f"the output has the type {given}, the input needs {taken}.")
    target = (connection.target_node, connection.target_port)
    source = f"{connection.source_node}.{connection.source_port}"
    known = sources.get(target, ())
    if source in known:
        return
    if known and taken and not taken.variadic:
        raise _Fault(f"the input is already fed by {known[0]}; it accepts only one source.")
    sources[target] = (*known, source)


def _node(nodes: Mapping[str, NodePorts], name: str) -> NodePorts:
    if name not in nodes:
        raise _Fault(
            f"there is no node '{shown(name)}'.{_nearest(name, nodes)} Nodes: {_listed(nodes)}."
        )
    return nodes[name]


def _port(
    ports: Mapping[str, PortType[Any]] | None, node: NodePorts, name: str, port: str, side: str
) -> PortType[Any] | None:
    if ports is None:
        return None
    if port not in ports:
        raise _Fault(
            f"node '{shown(name)}' ({node.kind}) has no {side} '{shown(port)}'."
            f"{_nearest(port, ports)} Its {side}s: {_listed(ports)}."
        )
    return ports[port]


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(shown(word), list(known), n=1)
    return f" Did you mean '{shown(close[0])}'?" if close else ""


def _listed(names: Collection[str], between: str = ", ") -> str:
    if not names:
        return "none"
    first = [shown(name) for name, _ in zip(names, range(_MAX_NAMED), strict=False)]
    more = f" and {len(names) - len(first)} more" if len(names) > len(first) else ""
    return between.join(first) + more


def _cycle(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[str]:
    """Return a cycle's nodes, from the first in the config back to it; empty without a cycle."""
    order: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
    for source, target in edges:
        order.add(target, source)
    try:
        order.prepare()
    except graphlib.CycleError as error:
        around: list[str] = error.args[1][:-1]
        start = next(around.index(name) for name in nodes if name in around)
        return [*around[start:], *around[: start + 1]]
    return []
