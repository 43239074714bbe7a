"""The declaration of a metric."""

from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """Kinds of metrics in Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """The declaration of one metric.

    Attributes:
        name: name in Prometheus, with the unit last; a counter's ends in ``_total``.
        kind: kind in Prometheus.
        meaning: one sentence, which is also the help text that Prometheus receives.
        services: services that emit it.
        labels: names of its labels.
        buckets: upper bounds of a histogram's buckets.
        only_with: what a machine must have for the metric to be emitted; empty: no requirement.
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
        """Name of its family: without the suffix that OpenMetrics appends to counters."""
        return self.name.removesuffix("_total")
