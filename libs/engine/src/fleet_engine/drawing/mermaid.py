"""Mermaid text of a figure, for example for Markdown files."""

from fleet_engine.drawing.figure import Card, Figure
from fleet_engine.drawing.palette import COLOURS
from fleet_engine.drawing.printable import printable

_SAFE = frozenset(" _-.,·→…")


def to_mermaid(figure: Figure) -> str:
    """Return a figure as a Mermaid flow chart with escaped labels."""
    cards = {card.name: f"n{number}" for number, card in enumerate(figure.cards)}
    supplies = {name: f"s{number}" for number, name in enumerate(figure.supplies)}
    lines = ["flowchart LR"]
    lines += [f'  {cards[card.name]}["{_label(card)}"]:::{card.category}' for card in figure.cards]
    lines += [f'  {supply}(["{_text(name)}"]):::request' for name, supply in supplies.items()]
    for arrow in figure.arrows:
        if arrow.source:
            lines.append(
                f'  {cards[arrow.source]} -- "{_text(arrow.label)}" --> {cards[arrow.target]}'
            )
        else:
            lines.append(f"  {supplies[arrow.output]} -.-> {cards[arrow.target]}")
    for category in dict.fromkeys(card.category for card in figure.cards):
        lines.append(f"  classDef {category} fill:{COLOURS[category]},stroke:none,color:#ffffff")
    if supplies:
        lines.append("  classDef request fill:#ecfdf5,stroke:#0f766e,color:#0f172a")
    return "\n".join((*lines, ""))


def _label(card: Card) -> str:
    stages = f"<br/>{_text(', '.join(card.stages))}" if card.stages else ""
    return f"<b>{_text(card.name)}</b><br/>{_text(card.kind)}{stages}"


def _text(text: str) -> str:
    """Replace all characters that may be Mermaid or HTML syntax by character codes."""
    return "".join(
        mark if mark.isalnum() or mark in _SAFE else f"#{ord(mark)};" for mark in printable(text)
    )
