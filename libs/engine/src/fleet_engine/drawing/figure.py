"""What a drawing of a pipeline shows, free of any drawing language."""

from dataclasses import dataclass
from typing import NamedTuple

from fleet_engine.graph.node_category import NodeCategory


class PortRow(NamedTuple):
    """A port on a card.

    Attributes:
        name: its name.
        type: what it takes or gives, in words; empty: not known.
        optional: the node does without it.
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
        category: what it is for; unspecified where the class is not built in.
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
        source: name of the card that gives; empty: the request.
        output: its port; of the request: name of the input.
        target: name of the card that takes.
        input: its port.
        optional: it need not carry anything.
    """

    source: str
    output: str
    target: str
    input: str
    optional: bool = False

    @property
    def label(self) -> str:
        """The names of both ports, or the one name that both have."""
        return self.output if self.output == self.input else f"{self.output} → {self.input}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A pipeline as it is to be drawn.

    Attributes:
        title: its name; empty: none.
        description: what it is for; empty: not said.
        cards: its nodes, in the config's order.
        arrows: its connections, those from the request last.
    """

    title: str
    description: str
    cards: tuple[Card, ...]
    arrows: tuple[Arrow, ...]

    @property
    def supplies(self) -> tuple[str, ...]:
        """Names of the inputs that come with a request, each once."""
        return tuple(dict.fromkeys(arrow.output for arrow in self.arrows if not arrow.source))
