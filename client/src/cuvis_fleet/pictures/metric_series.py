"""What a training told, as lines of a picture: what is drawn, in which panel, by which name."""

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
        stage: that told it; empty: all stages told the same.
        name: of the value; of several that are always the same, all names.
        values: the last one of each epoch.
    """

    stage: str
    name: str
    values: Mapping[int, float]

    @property
    def label(self) -> str:
        """Stage and name."""
        return f"{self.stage} {self.name}".strip()


def panels_of(messages: Sequence[Progress]) -> dict[str, list[MetricSeries]]:
    """The curves of a training by panel: losses, metrics by the node that they come from, rates.

    Trainings tell much of it several times: a sum of one loss is that loss, and the figures of the
    validation come with messages of both stages.
    """
    kept = [each for each in messages if each.stage != _TEST]
    losses = _curves((each.stage, each.epoch, each.losses) for each in kept)
    losses.sort(key=lambda curve: curve.name != _SUM)
    panels = {"loss": [joined[0] for joined in _equals(losses)]}
    metrics = [
        curve
        for curve in _curves((each.stage, each.epoch, each.metrics) for each in kept)
        if all(curve.values != loss.values for loss in losses)
    ]
    for panel, curves in _by_node(metrics).items():
        panels[panel] = [
            replace(same[0], name=", ".join(dict.fromkeys(each.name for each in same)))
            for same in _equals(_without_stage(curves))
        ]
    return {panel: curves for panel, curves in panels.items() if curves}


def _curves(told: Iterable[tuple[str, int, Mapping[str, float]]]) -> list[MetricSeries]:
    values: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for stage, epoch, figures in told:
        for name, value in figures.items():
            values[stage, name][epoch] = value
    return [MetricSeries(stage, name, each) for (stage, name), each in values.items()]


def _by_node(metrics: Iterable[MetricSeries]) -> dict[str, list[MetricSeries]]:
    """By the part of their names before the last slash; learning rates last."""
    panels: dict[str, list[MetricSeries]] = defaultdict(list)
    rates = []
    for curve in metrics:
        node, _, port = curve.name.rpartition("/")
        if curve.name.startswith(_RATE):
            rates.append(replace(curve, name=curve.name.removeprefix(_RATE)))
        else:
            panels[node or "metric"].append(replace(curve, name=port))
    return {**panels, "learning rate": rates}


def _without_stage(curves: Sequence[MetricSeries]) -> list[MetricSeries]:
    """Make one of the curves of a name where no epoch tells them apart."""
    by_name: dict[str, list[MetricSeries]] = defaultdict(list)
    for curve in curves:
        by_name[curve.name].append(curve)
    found: list[MetricSeries] = []
    for name, same in by_name.items():
        union = {epoch: value for each in same for epoch, value in each.values.items()}
        agree = all(union[epoch] == value for each in same for epoch, value in each.values.items())
        found += [MetricSeries("", name, union)] if agree and len(same) > 1 else same
    return found


def _equals(curves: Iterable[MetricSeries]) -> list[list[MetricSeries]]:
    """Curves together that have the same values."""
    groups: dict[tuple[tuple[int, float], ...], list[MetricSeries]] = defaultdict(list)
    for curve in curves:
        groups[tuple(sorted(curve.values.items()))].append(curve)
    return list(groups.values())
