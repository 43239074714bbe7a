"""What is known of a metric before anything is measured."""

from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """Prometheus' own kinds."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric.

    Attributes:
        name: as Prometheus stores it, the unit last; a counter's ends in ``_total``.
        kind: what may be done with it.
        meaning: one sentence; also the help text of the exposition.
        services: who emits it.
        labels: names of its labels.
        buckets: upper bounds of a histogram's buckets.
        only_with: what must be there for it to be emitted at all; "": it always is.
    """

    name: str
    kind: MetricKind
    meaning: str
    services: tuple[str, ...]
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    only_with: str = ""

    @property
    def family(self) -> str:
        """The name of its family: without what OpenMetrics appends to a counter's samples."""
        return self.name.removesuffix("_total")
