"""Losses and metrics over a training."""

from collections.abc import Mapping, Sequence
from itertools import islice, pairwise
from math import isnan

from cuvis_fleet.models.progress import Progress

_BARS = "▁▂▃▄▅▆▇█"
_MAX_LOSSES = 4
_MAX_METRICS = 12


class Curves:
    """The losses of each message and the metrics of each epoch, by stage and name."""

    def __init__(self) -> None:
        self._losses: dict[str, list[float]] = {}
        self._metrics: dict[str, dict[int, float]] = {}

    def add(self, progress: Progress) -> None:
        """Add a message."""
        for name, value in progress.losses.items():
            self._losses.setdefault(f"{progress.stage} {name}", []).append(value)
        for name, value in progress.metrics.items():
            self._metrics.setdefault(f"{progress.stage} {name}", {})[progress.epoch] = value

    @property
    def losses(self) -> Mapping[str, Sequence[float]]:
        """The total losses, one value per message; without totals, the first few losses."""
        sums = {name: each for name, each in self._losses.items() if name.endswith(" total")}
        return dict(sorted((sums or dict(islice(self._losses.items(), _MAX_LOSSES))).items()))

    @property
    def metrics(self) -> Mapping[str, Sequence[float]]:
        """One value per epoch; only the validation metrics if there are any."""
        validated = {name: each for name, each in self._metrics.items() if name.startswith("val ")}
        shown = islice((validated or self._metrics).items(), _MAX_METRICS)
        return {name: list(values.values()) for name, values in shown}


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw values as bars in at most `width` characters."""
    shown = resampled([value for value in values if not isnan(value)], width)
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if high <= low:
        return _BARS[0] * len(shown)
    steps = (len(_BARS) - 1) / (high - low)
    return "".join(_BARS[round((value - low) * steps)] for value in shown)


def resampled(values: Sequence[float], count: int) -> list[float]:
    """Reduce values to at most `count`, the means of equal segments."""
    if len(values) <= count:
        return list(values)
    bounds = [index * len(values) // count for index in range(count + 1)]
    return [sum(values[begin:end]) / (end - begin) for begin, end in pairwise(bounds)]
