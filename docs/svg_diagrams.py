"""SVG documents of sequence and state diagrams, in the style of ``img/architecture.svg``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

_INK, _LINE, _EDGE = "#1f2a38", "#44546a", "#8796a8"
_FILLS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "client": ("#f4f6f8", "#8796a8"),
        "gateway": ("#e8f1fb", "#2f6fb1"),
        "service": ("#eaf6ee", "#2e8b57"),
        "redis": ("#fdeeee", "#b8433f"),
        "volume": ("#fff6e3", "#c08a1d"),
    }
)
_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"'
    f' markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="{_LINE}"/>'
    "</marker></defs>"
)


@dataclass(frozen=True)
class Box:
    """A participant of a sequence, or a state; `kind` selects the colour."""

    title: str
    text: str
    kind: str


@dataclass(frozen=True)
class Message:
    """An arrow from one lane to another, or within one lane a step that it does on its own."""

    source: int
    target: int
    text: str
    is_reply: bool = False


@dataclass(frozen=True)
class Frame:
    """Messages that are repeated or conditional."""

    label: str
    steps: tuple[Message, ...]


@dataclass(frozen=True)
class State:
    """A state in the diagram of states; `x` and `y` are its centre."""

    box: Box
    x: int
    y: int


@dataclass(frozen=True)
class Transition:
    """An arrow between two points, with the lines of its label around a third point."""

    path: str
    text: tuple[str, ...]
    x: int
    y: int
    anchor: str = "middle"


_LANE_GAP, _TOP, _ROW, _BOX_HEIGHT = 196, 96, 34, 54


def sequence(title: str, lanes: Sequence[Box], steps: Iterable[Message | Frame]) -> str:
    """Return a sequence diagram as an SVG document."""
    centres = [84 + number * _LANE_GAP for number in range(len(lanes))]
    drawn: list[str] = []
    y = _TOP
    for step in steps:
        if isinstance(step, Message):
            drawn += _message(step, centres, y)
            y += _ROW
            continue
        ends = [centres[end] for each in step.steps for end in (each.source, each.target)]
        left, right = min(ends) - 60, max(ends) + 60
        height = 24 + len(step.steps) * _ROW
        drawn.append(
            f'<rect x="{left}" y="{y - 20}" width="{right - left}" height="{height}" rx="6"'
            f' fill="none" stroke="{_EDGE}" stroke-dasharray="5 4"/>'
        )
        drawn.append(_text(left + 8, y - 5, step.label, anchor="start", bold=True, halo=True))
        y += 24
        for each in step.steps:
            drawn += _message(each, centres, y)
            y += _ROW
        y += 8
    heads = [part for lane, x in zip(lanes, centres, strict=True) for part in _head(lane, x, y)]
    return _document(title, centres[-1] + 84, y + 6, [*heads, *drawn])


def states(title: str, found: Iterable[State], transitions: Iterable[Transition]) -> str:
    """Return a state diagram as an SVG document."""
    drawn = []
    for arrow in transitions:
        drawn.append(_path(arrow.path))
        drawn += [
            _text(arrow.x, arrow.y + 16 * number, line, anchor=arrow.anchor, halo=True)
            for number, line in enumerate(arrow.text)
        ]
    for state in found:
        drawn += _box(state.box, state.x, state.y - _BOX_HEIGHT // 2, 170)
    return _document(title, 1010, 292, drawn)


def _head(lane: Box, x: int, bottom: int) -> list[str]:
    line = f'<path d="M{x} 66V{bottom}" stroke="{_EDGE}" stroke-dasharray="2 4"/>'
    return [line, *_box(lane, x, 12, 132)]


def _message(message: Message, centres: Sequence[int], y: int) -> list[str]:
    start, end = centres[message.source], centres[message.target]
    if start == end:
        width = 16 + 6.3 * len(message.text)
        left = min(start - 12, centres[-1] + 74 - width)
        box = (
            f'<rect x="{left}" y="{y - 15}" width="{width}" height="22" rx="4" fill="#ffffff"'
            f' stroke="{_EDGE}"/>'
        )
        return [box, _text(left + 8, y, message.text, anchor="start")]
    dash = ' stroke-dasharray="6 4"' if message.is_reply else ""
    return [
        _text((start + end) // 2, y - 5, message.text, halo=True),
        _path(f"M{start} {y}H{end}", dash),
    ]


def _box(box: Box, centre: int, top: int, width: int) -> list[str]:
    fill, stroke = _FILLS[box.kind]
    return [
        f'<rect x="{centre - width // 2}" y="{top}" width="{width}" height="{_BOX_HEIGHT}" rx="8"'
        f' fill="{fill}" stroke="{stroke}" stroke-width="1.6"/>',
        _text(centre, top + 23, box.title, size=14, bold=True),
        _text(centre, top + 42, box.text),
    ]


def _path(shape: str, more: str = "") -> str:
    return (
        f'<path d="{shape}" stroke="{_LINE}" stroke-width="1.5" fill="none"'
        f' marker-end="url(#arrow)"{more}/>'
    )


def _text(
    x: float, y: float, text: str, *, size: int = 12, anchor: str = "middle", bold: bool = False,
    halo: bool = False,
) -> str:  # fmt: skip
    style = ' font-weight="bold"' if bold else ""
    if halo:
        style += ' stroke="#ffffff" stroke-width="4" paint-order="stroke"'
    colour = _INK if bold else _LINE
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"{style}>'
        f"{escape(text)}</text>"
    )


def _document(title: str, width: int, height: int, parts: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="Helvetica, Arial, sans-serif">'
    )
    background = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join(
        (head, f"<title>{escape(title)}</title>", _ARROW, background, *parts, "</svg>\n")
    )
