"""Line charts of Braille dots: two columns and four rows of dots per character."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from cuvis_fleet.cli.training.curves import resampled

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BLANK = 0x2800
_LABEL_WIDTH = 10
COLOURS = ("cyan", "yellow", "magenta", "green")
"""Colours of the series, in order."""


def chart(series: Mapping[str, Sequence[float]], width: int, height: int) -> Text:
    """Draw series over a common axis.

    Args:
        series: values by name; each series spans the whole width. Values that are not finite are
            omitted.
        width: width in characters, including the labels of the axis.
        height: height in lines.
    """
    plotted = width - _LABEL_WIDTH
    shown = {name: _finite(values, 2 * plotted) for name, values in series.items()}
    every = [value for values in shown.values() for value in values]
    if plotted < 2 or not every:
        return Text()
    low, high = min(every), max(every)
    cells = [[_BLANK] * plotted for _ in range(height)]
    colours = [[""] * plotted for _ in range(height)]
    for number, values in enumerate(shown.values()):
        for x, y in _dots(values, 2 * plotted, 4 * height, low, high):
            row, column = y // 4, x // 2
            cells[row][column] |= _DOTS[x % 2][y % 4]
            colours[row][column] = COLOURS[number % len(COLOURS)]
    text = Text()
    for row in range(height):
        label = f"{high:.3g}" if row == 0 else f"{low:.3g}" if row == height - 1 else ""
        text.append(f"{label:>{_LABEL_WIDTH - 2}} ", style="dim")
        text.append("│", style="dim")
        for cell, colour in zip(cells[row], colours[row], strict=True):
            text.append(chr(cell), style=colour)
        text.append("\n")
    text.rstrip()
    return text


def _finite(values: Sequence[float], count: int) -> list[float]:
    return resampled([value for value in values if abs(value) < float("inf")], count)


def _dots(
    values: Sequence[float], width: int, height: int, low: float, high: float
) -> list[tuple[int, int]]:
    """Return the dots of a series, connected without gaps."""
    if not values:
        return []
    span = max(high - low, 1e-12)
    dots = []
    earlier: int | None = None
    for x in range(width):
        position = x * (len(values) - 1) / max(width - 1, 1)
        index = min(int(position), max(len(values) - 2, 0))
        after = values[min(index + 1, len(values) - 1)]
        value = values[index] + (after - values[index]) * (position - index)
        y = round((height - 1) * (high - value) / span)
        begin, end = sorted((y, y if earlier is None else earlier))
        dots += [(x, each) for each in range(begin, end + 1)]
        earlier = y
    return dots
