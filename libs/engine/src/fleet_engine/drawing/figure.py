"""Figures of pipelines, independent of a drawing language."""

from dataclasses import dataclass
from typing import NamedTuple

from fleet_engine.graph.node_category import NodeCategory


class PortRow(NamedTuple):
    """A port on a card.

    Attributes:
        name: its name.
        type: its type as text; empty: unknown.
        optional: whether the node runs without it.
    """

    name: str
    type: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A node.

    Attributes:
        name: unique within the pipeline.
        kind: name of its class.
        category: its purpose; unspecified if the class is not built in.
        stages: names of the stages at which it runs; empty: all.
        inputs: its input ports.
        outputs: its output ports.
    """

    name: str
    kind: str
    category: NodeCategory
    stages: tuple[str, ...]
    inputs: tuple[PortRow, ...]
    outputs: tuple[PortRow, ...]


class Arrow(NamedTuple):
    """A connection.

    Attributes:
        source: name of the source card; empty: the request.
        output: its port, or the input name of the request.
        target: name of the target card.
        input: its port.
        optional: whether it may carry no value.
    """

    source: str
    output: str
    target: str
    input: str
    optional: bool = False

    @property
    def label(self) -> str:
        """The names of both ports, or their common name."""
        return self.output if self.output == self.input else f"{self.output} → {self.input}"


@dataclass(frozen=True, slots=True)
class Figure:
    """The content of a drawing of a pipeline.

    Attributes:
        title: its name; empty: none.
        description: its purpose; empty: none.
        cards: its nodes, in the config's order.
        arrows: its connections, those from the request last.
    """

    title: str
    description: str
    cards: tuple[Card, ...]
    arrows: tuple[Arrow, ...]

    @property
    def supplies(self) -> tuple[str, ...]:
        """Distinct names of the inputs that come with a request."""
        return tuple(dict.fromkeys(arrow.output for arrow in self.arrows if not arrow.source))
