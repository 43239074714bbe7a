"""Pictures of the losses and metrics of a training."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cuvis_fleet.models.progress import Progress
from cuvis_fleet.pictures.canvas import DASHES, LINES, label_ends, open_axes
from cuvis_fleet.pictures.metric_series import MetricSeries, panels_of

_MIN_LOG_RATIO = 50.0


def training_curves(messages: Iterable[Progress], *, title: str = "Training") -> Figure:
    """Draw the losses of a training and, below them, its metrics and learning rates, by epoch.

    Of several messages of one epoch, the last one is used. Each line is labelled at its end with
    its name and last value; lines of the same name have the same colour, and stages have different
    dashes. Values that are reported under several names are one line. Test metrics are not drawn.

    Args:
        messages: the messages of a training, in order.
        title: title of the picture.

    Raises:
        ValueError: the messages have neither losses nor metrics, as those of a statistical
            training.
    """
    received = list(messages)
    panels = panels_of(received)
    if not panels:
        raise ValueError(
            f"none of the {len(received)} messages has a loss or a metric; draw a gradient "
            "training, since statistical training runs have none"
        )
    figure = Figure(figsize=(8.6, 1.0 + 2.6 * len(panels)), layout="constrained")
    rows = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    figure.suptitle(title)
    ends = [_draw(axes, *panel) for axes, panel in zip(rows, panels.items(), strict=True)]
    rows[-1].set_xlabel("epoch")
    figure.draw_without_rendering()
    for axes, each in zip(rows, ends, strict=True):
        label_ends(axes, each)
    return figure


def _draw(
    axes: Axes, panel: str, curves: Sequence[MetricSeries]
) -> list[tuple[float, float, str, str]]:
    open_axes(axes)
    colours: dict[str, str] = defaultdict(lambda: LINES[len(colours) % len(LINES)])
    stages = sorted({curve.stage for curve in curves})
    ends = []
    for curve in curves:
        epochs, values = zip(*sorted(curve.values.items()), strict=True)
        colour = colours[curve.name]
        axes.plot(
            epochs,
            values,
            color=colour,
            linestyle=DASHES[stages.index(curve.stage) % len(DASHES)],
            marker="o",
            markersize=3.5,
            linewidth=1.6,
        )
        label = f"{curve.label} {values[-1]:.3g}"
        seen = [point for point in zip(epochs, values, strict=True) if isfinite(point[1])]
        ends += [(float(epoch), value, label, colour) for epoch, value in seen[-1:]]
    axes.set_ylabel(panel)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if panel == "loss" and _spans_orders(curves):
        axes.set_yscale("log")
    return ends


def _spans_orders(curves: Sequence[MetricSeries]) -> bool:
    values = [value for curve in curves for value in curve.values.values()]
    return min(values) > 0 and max(values) / min(values) > _MIN_LOG_RATIO
