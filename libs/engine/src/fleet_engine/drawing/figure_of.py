"""Creates the figure of a pipeline from its configuration, without building the pipeline."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from fleet_engine.drawing.figure import Arrow, Card, Figure, PortRow
from fleet_engine.graph.catalogue import is_built_in, node_class
from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.port_spec import PortSpec
from fleet_engine.graph.stage import Stage
from fleet_platform.errors import Exhausted
from fleet_platform.shown_text import shown
from fleet_schemas import NodeConfig, PipelineConfig
from fleet_schemas.graph import unique_name

MAX_PARTS = 2000
"""Maximum number of nodes and connections of a readable figure."""


def figure_of(config: PipelineConfig) -> Figure:
    """Return the figure of a pipeline as configured.

    Unknown classes, and ports that a class does not have, are drawn without a type. A configuration
    can therefore be viewed where its plugins are not installed, and while it is being written.

    Raises:
        GraphInvalid: a connection refers to a node that does not exist.
        Exhausted: there are more nodes and connections than `MAX_PARTS`.
    """
    parts = len(config.nodes) + len(config.connections)
    if parts > MAX_PARTS:
        raise Exhausted(
            f"The pipeline has {parts} nodes and connections; at most {MAX_PARTS} are drawn."
        )
    arrows = tuple(_connections(config))
    cards: dict[str, Card] = {}
    supplied: list[Arrow] = []
    for node in config.nodes:
        card = _card(node, unique_name(node.name, cards), arrows)
        cards[card.name] = card
        supplied += _from_request(card, arrows)
    for index, arrow in enumerate(arrows):
        for name in (arrow.source, arrow.target):
            if name not in cards:
                raise GraphInvalid(f"Connection {index}: there is no node '{shown(name)}'.")
    metadata = config.metadata
    return Figure(
        title=metadata.name if metadata else config.name,
        description=metadata.description if metadata else "",
        cards=tuple(cards.values()),
        arrows=(*arrows, *supplied),
    )


def _connections(config: PipelineConfig) -> Iterator[Arrow]:
    for one in config.connections:
        yield Arrow(one.source_node, one.source_port, one.target_node, one.target_port)


def _card(node: NodeConfig, name: str, arrows: tuple[Arrow, ...]) -> Card:
    kind = _known_class(node.class_name)
    used_inputs = [arrow.input for arrow in arrows if arrow.target == name]
    used_outputs = [arrow.output for arrow in arrows if arrow.source == name]
    return Card(
        name=name,
        kind=kind.__name__ if kind else node.class_name.rpartition(".")[2],
        category=_category(node.class_name, kind),
        stages=_stages(node, kind),
        inputs=_rows(getattr(kind, "INPUT_SPECS", {}), used_inputs),
        outputs=_rows(getattr(kind, "OUTPUT_SPECS", {}), used_outputs),
    )


def _known_class(path: str) -> type[nn.Module] | None:
    try:
        return node_class(path)
    except GraphInvalid:
        return None


def _category(path: str, kind: type[nn.Module] | None) -> NodeCategory:
    """Return the category of a built-in class; unspecified for any other."""
    if kind is not None and issubclass(kind, Node) and is_built_in(path):
        return kind.CATEGORY
    return NodeCategory.UNSPECIFIED


def _rows(declared: Mapping[str, Any], used: list[str]) -> tuple[PortRow, ...]:
    """Return the ports that a class declares, then those that only a connection names."""
    return tuple(_row(name, declared.get(name)) for name in dict.fromkeys((*declared, *used)))


def _row(name: str, spec: Any) -> PortRow:
    if isinstance(spec, PortSpec):
        return PortRow(name, str(spec), spec.optional)
    return PortRow(name, "", bool(getattr(spec, "optional", False)))


def _stages(node: NodeConfig, kind: type[nn.Module] | None) -> tuple[str, ...]:
    given = node.hparams.get("execution_stages")
    if isinstance(given, list) and given:
        names = {str(stage).lower() for stage in given}
    elif kind is not None and issubclass(kind, Node):
        names = {stage.value for stage in kind.STAGES}
    else:
        names = {Stage.ALWAYS.value}
    if Stage.ALWAYS.value in names:
        return ()
    order = [stage.value for stage in Stage]
    return tuple(sorted(names, key=lambda name: order.index(name) if name in order else len(order)))


def _from_request(card: Card, arrows: tuple[Arrow, ...]) -> Iterator[Arrow]:
    """Yield unconnected inputs; optional ones only if the node is a data source."""
    fed = {arrow.input for arrow in arrows if arrow.target == card.name}
    for port in card.inputs:
        enters = not port.optional or card.category is NodeCategory.SOURCE
        if port.name not in fed and port.type and enters:
            yield Arrow("", port.name, card.name, port.name, port.optional)
