"""The metrics of one process, and of the processes that report to it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric as Family

from fleet_platform.telemetry.reading import Reading
from fleet_platform.telemetry.registry import Metric, metrics
from fleet_platform.telemetry.reported_counts import ReportedCounts

_Instrument = TypeVar("_Instrument", bound=MetricWrapperBase)
_BY_FAMILY = {metric.family: metric for metric in metrics.METRICS}


class MetricRegistry(CollectorRegistry):
    """Makes instruments of registered metrics, each once, and adds what other processes count.

    Asking again for the same metric gives the same instrument, so that stores and services share
    one registry without knowing of one another.
    """

    def __init__(self) -> None:
        super().__init__()
        self._instruments: dict[str, MetricWrapperBase] = {}
        self._making = Lock()
        self.reported = ReportedCounts()
        """What child processes of this one have counted; add to it by `take_report`."""

    @classmethod
    def of_process(cls) -> "MetricRegistry":
        """One that already tells memory, CPU time, open files and collections."""
        registry = cls()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        return registry

    def counter(self, metric: Metric) -> Counter:
        """The counter of `metric`."""
        return self._once(
            metric, lambda: Counter(metric.name, metric.meaning, metric.labels, registry=self)
        )

    def gauge(self, metric: Metric) -> Gauge:
        """The gauge of `metric`, set by whoever changes the value."""
        return self._once(
            metric, lambda: Gauge(metric.name, metric.meaning, metric.labels, registry=self)
        )

    def histogram(self, metric: Metric) -> Histogram:
        """The histogram of `metric`."""
        return self._once(
            metric,
            lambda: Histogram(
                metric.name, metric.meaning, metric.labels, buckets=metric.buckets, registry=self
            ),
        )

    def watch(
        self, metric: Metric, read: Callable[[], Iterable[tuple[Mapping[str, str], float]]]
    ) -> None:
        """Have a gauge read whenever metrics are asked for.

        Args:
            metric: the gauge.
            read: gives label values and the number of each series; what it raises leaves the
                gauge out of that answer.
        """
        self.register(Reading(metric, read))

    def take_report(self, source: int, report: str) -> None:
        """Take over what another process counted until now; see `ReportedCounts.report`."""
        for family in self.reported.report(source, report):
            metric = _BY_FAMILY.get(family)
            if metric is not None:
                make = {"counter": self.counter, "histogram": self.histogram}[metric.kind]
                make(metric)

    def collect(self) -> Iterator[Family]:
        """All families, with what other processes counted added to them."""
        for family in super().collect():
            yield self.reported.added_to(family)

    def _once(self, metric: Metric, make: Callable[[], _Instrument]) -> _Instrument:
        with self._making:
            made = self._instruments.get(metric.name)
            if made is None:
                made = self._instruments[metric.name] = make()
            return made  # type: ignore[return-value]  # a metric has one kind
