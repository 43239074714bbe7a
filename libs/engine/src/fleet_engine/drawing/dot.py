"""Graphviz text of a figure, with each node as a card between its ports."""

from html import escape
from itertools import zip_longest

from fleet_engine.drawing.figure import Card, Figure, PortRow
from fleet_engine.drawing.palette import COLOURS
from fleet_engine.drawing.printable import MAX_CHARACTERS, printable
from fleet_engine.graph.node_category import NodeCategory

_FONT = "Helvetica,Arial,sans-serif"
_INK, _FAINT, _LINE, _PAPER = "#0f172a", "#64748b", "#cbd5e1", "#ffffff"
_HEAD = f"""digraph pipeline {{
  graph [rankdir=LR, bgcolor="#f8fafc", pad=0.4, nodesep=0.35, ranksep=0.75, fontname="{_FONT}",
         labelloc=t, labeljust=l]
  node [shape=plain, fontname="{_FONT}", fontsize=11, fontcolor="{_INK}"]
  edge [fontname="{_FONT}", fontsize=9, fontcolor="{_FAINT}", color="#94a3b8", penwidth=1.4,
        arrowsize=0.7]"""
_SUPPLY = 'shape=box, style="rounded,filled{dashed}", fillcolor="#ecfdf5", color="#0f766e"'
_FROM_REQUEST = 'style=dashed, color="#0f766e"'
_MAX_TITLE, _MAX_DESCRIPTION = 80, 120


def to_dot(figure: Figure) -> str:
    """Return a figure in the DOT language.

    Names are escaped and appear only as labels of numbered identifiers, so that they cannot inject
    DOT syntax.
    """
    numbers = {card.name: f"n{number}" for number, card in enumerate(figure.cards)}
    supplies = {name: f"s{number}" for number, name in enumerate(figure.supplies)}
    cards = {card.name: card for card in figure.cards}
    lines = [_HEAD, *_title(figure)]
    lines += [f"  {numbers[name]} [label=<{_card(card)}>]" for name, card in cards.items()]
    needed = {arrow.output for arrow in figure.arrows if not (arrow.source or arrow.optional)}
    for name, number in supplies.items():
        style = _SUPPLY.format(dashed="" if name in needed else ",dashed")
        lines.append(f"  {number} [label=<{_text(name)}>, {style}]")
    for arrow in figure.arrows:
        head = f"{numbers[arrow.target]}:{_port('i', arrow.input, cards[arrow.target].inputs)}:w"
        if arrow.source:
            port = _port("o", arrow.output, cards[arrow.source].outputs)
            label = f"label=<{_text(arrow.label)}>"
            lines.append(f"  {numbers[arrow.source]}:{port}:e -> {head} [{label}]")
        else:
            lines.append(f"  {supplies[arrow.output]}:e -> {head} [{_FROM_REQUEST}]")
    return "\n".join((*lines, "}", ""))


def _title(figure: Figure) -> list[str]:
    rows = []
    if figure.title:
        rows.append(f'<font point-size="16"><b>{_text(figure.title, _MAX_TITLE)}</b></font>')
    if figure.description:
        shown = _text(figure.description, _MAX_DESCRIPTION)
        rows.append(f'<font point-size="11" color="{_FAINT}">{shown}</font>')
    if not rows:
        return []
    breaks = '<br align="left"/>'
    return [f"  label=<{breaks.join(rows)}{breaks}{breaks}>"]


def _card(card: Card) -> str:
    colour = COLOURS[card.category]
    role = "not built in" if card.category is NodeCategory.UNSPECIFIED else card.category.value
    stages = f" · {_text(', '.join(card.stages))}" if card.stages else ""
    rows = [
        f'<tr><td colspan="2" align="left" bgcolor="{colour}" cellpadding="6">'
        f'<font color="white" point-size="12"><b>{_text(card.name)}</b></font></td></tr>',
        f'<tr><td colspan="2" align="left" cellpadding="3"><font color="{colour}" point-size="9">'
        f"{_text(card.kind)}</font>"
        f'<font color="{_FAINT}" point-size="9"> · {role}{stages}</font></td></tr>',
    ]
    pairs = zip_longest(enumerate(card.inputs), enumerate(card.outputs))
    rows += [f"<tr>{_cell('i', left)}{_cell('o', right)}</tr>" for left, right in pairs]
    return (
        f'<table border="1" color="{_LINE}" bgcolor="{_PAPER}" cellborder="0" '
        f'cellspacing="0" cellpadding="4">{"".join(rows)}</table>'
    )


def _cell(side: str, port: tuple[int, PortRow] | None) -> str:
    if port is None:
        return "<td></td>"
    number, row = port
    align = "left" if side == "i" else "right"
    name = f"<i>{_text(row.name)}</i>" if row.optional else _text(row.name)
    kind = f'<br align="{align}"/><font color="{_FAINT}" point-size="8">{_text(row.type)}</font>'
    shown = f"{name}{kind if row.type else ''}"
    return f'<td port="{side}{number}" align="{align}" balign="{align}">{shown}</td>'


def _port(side: str, name: str, rows: tuple[PortRow, ...]) -> str:
    return f"{side}{[row.name for row in rows].index(name)}"


def _text(text: str, max_characters: int = MAX_CHARACTERS) -> str:
    return escape(printable(text, max_characters)) or " "
