"""Turns the messages of a training into series, grouped by the panel that shows them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cuvis_fleet.models.progress import Progress

_TEST = "test"
_SUM = "total"
_RATE = "lr-"


@dataclass(frozen=True)
class MetricSeries:
    """A value by epoch.

    Attributes:
        stage: stage that reported it; empty: all stages reported the same values.
        name: name of the value; if several are always equal, all their names.
        values: the last value of each epoch.
    """

    stage: str
    name: str
    values: Mapping[int, float]

    @property
    def label(self) -> str:
        """The stage and the name."""
        return f"{self.stage} {self.name}".strip()


def panels_of(messages: Sequence[Progress]) -> dict[str, list[MetricSeries]]:
    """Return the series of a training by panel: losses, metrics by node, learning rates.

    Series that repeat others are merged: the total of a single loss equals that loss, and messages
    of both stages contain the validation metrics.
    """
    kept = [each for each in messages if each.stage != _TEST]
    losses = _series((each.stage, each.epoch, each.losses) for each in kept)
    losses.sort(key=lambda series: series.name != _SUM)
    panels = {"loss": [same[0] for same in _equals(losses)]}
    metrics = [
        series
        for series in _series((each.stage, each.epoch, each.metrics) for each in kept)
        if all(series.values != loss.values for loss in losses)
    ]
    for panel, lines in _by_node(metrics).items():
        panels[panel] = [
            replace(same[0], name=", ".join(dict.fromkeys(each.name for each in same)))
            for same in _equals(_without_stage(lines))
        ]
    return {panel: lines for panel, lines in panels.items() if lines}


def _series(reported: Iterable[tuple[str, int, Mapping[str, float]]]) -> list[MetricSeries]:
    values: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for stage, epoch, figures in reported:
        for name, value in figures.items():
            values[stage, name][epoch] = value
    return [MetricSeries(stage, name, each) for (stage, name), each in values.items()]


def _by_node(metrics: Iterable[MetricSeries]) -> dict[str, list[MetricSeries]]:
    """Group by the part of the name before the last slash; learning rates are last."""
    panels: dict[str, list[MetricSeries]] = defaultdict(list)
    rates = []
    for series in metrics:
        node, _, port = series.name.rpartition("/")
        if series.name.startswith(_RATE):
            rates.append(replace(series, name=series.name.removeprefix(_RATE)))
        else:
            panels[node or "metric"].append(replace(series, name=port))
    return {**panels, "learning rate": rates}


def _without_stage(lines: Sequence[MetricSeries]) -> list[MetricSeries]:
    """Merge the series of a name if their values are equal in every epoch."""
    by_name: dict[str, list[MetricSeries]] = defaultdict(list)
    for series in lines:
        by_name[series.name].append(series)
    found: list[MetricSeries] = []
    for name, same in by_name.items():
        union = {epoch: value for each in same for epoch, value in each.values.items()}
        agree = all(union[epoch] == value for each in same for epoch, value in each.values.items())
        found += [MetricSeries("", name, union)] if agree and len(same) > 1 else same
    return found


def _equals(lines: Iterable[MetricSeries]) -> list[list[MetricSeries]]:
    """Group the series that have the same values."""
    groups: dict[tuple[tuple[int, float], ...], list[MetricSeries]] = defaultdict(list)
    for series in lines:
        groups[tuple(sorted(series.values.items()))].append(series)
    return list(groups.values())
