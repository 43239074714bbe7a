"""Losses and metrics over a training."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cuvis_fleet.pictures.canvas import DASHES, LINES, label_ends, open_axes
from cuvis_fleet.progress import Progress

_LOG_FROM = 50.0
Curve = Mapping[int, float]


def training_curves(messages: Iterable[Progress], *, title: str = "Training") -> Figure:
    """Draw the losses of a training and, below them, its metrics, by epoch.

    Of several messages of one epoch, the last one counts. Each line is named at its end with its
    last value; stages differ by their dashes.

    Args:
        messages: what a training told, in order.
        title: what was trained.

    Raises:
        ValueError: there is neither a loss nor a metric among them; statistical trainings have
            none.
    """
    told = list(messages)
    losses = _curves((each.stage, each.epoch, each.losses) for each in told)
    metrics = _curves((each.stage, each.epoch, each.metrics) for each in told)
    panels = [(name, curves) for name, curves in (("loss", losses), ("metric", metrics)) if curves]
    if not panels:
        raise ValueError(
            f"none of the {len(told)} messages has a loss or a metric; statistical trainings have "
            "none, draw a gradient training"
        )
    figure = Figure(figsize=(8.6, 1.0 + 3.2 * len(panels)), layout="constrained")
    rows = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    figure.suptitle(title)
    ends = [_draw(axes, name, curves) for axes, (name, curves) in zip(rows, panels, strict=True)]
    rows[-1].set_xlabel("epoch")
    figure.draw_without_rendering()
    for axes, each in zip(rows, ends, strict=True):
        label_ends(axes, each)
    return figure


def _curves(
    told: Iterable[tuple[str, int, Mapping[str, float]]],
) -> dict[tuple[str, str], dict[int, float]]:
    """By stage and name, the last value of each epoch."""
    curves: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for stage, epoch, values in told:
        for name, value in values.items():
            curves[stage, name][epoch] = value
    return dict(curves)


def _draw(
    axes: Axes, what: str, curves: Mapping[tuple[str, str], Curve]
) -> list[tuple[float, float, str, str]]:
    open_axes(axes)
    names = list(dict.fromkeys(name for _, name in curves))
    stages = list(dict.fromkeys(stage for stage, _ in curves))
    ends = []
    for (stage, name), curve in curves.items():
        epochs, values = zip(*sorted(curve.items()), strict=True)
        colour = LINES[names.index(name) % len(LINES)]
        axes.plot(
            epochs,
            values,
            color=colour,
            linestyle=DASHES[stages.index(stage) % len(DASHES)],
            marker="o",
            markersize=3.5,
            linewidth=1.6,
        )
        ends.append((float(epochs[-1]), values[-1], f"{stage} {name} {values[-1]:.3g}", colour))
    axes.set_ylabel(what)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if what == "loss" and _spans_orders(
        [value for curve in curves.values() for value in curve.values()]
    ):
        axes.set_yscale("log")
    return ends


def _spans_orders(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) > _LOG_FROM
