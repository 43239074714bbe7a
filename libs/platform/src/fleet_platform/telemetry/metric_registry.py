"""The metrics of one process, including those that its child processes report."""

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

from fleet_platform.telemetry.callback_gauge import CallbackGauge
from fleet_platform.telemetry.catalogue import Metric, metrics
from fleet_platform.telemetry.reported_counts import ReportedCounts

_Instrument = TypeVar("_Instrument", bound=MetricWrapperBase)
_BY_FAMILY = {metric.family: metric for metric in metrics.METRICS}


class MetricRegistry(CollectorRegistry):
    """Creates the instruments of declared metrics and adds what child processes report.

    Requesting the same metric again returns the same instrument, so that stores and services can
    share one registry without knowing about each other.
    """

    def __init__(self) -> None:
        super().__init__()
        self._instruments: dict[str, MetricWrapperBase] = {}
        self._making = Lock()
        self.reported = ReportedCounts()
        """Counts from child processes; updated by `take_report`."""

    @classmethod
    def of_process(cls) -> "MetricRegistry":
        """Return a registry that includes memory, CPU time, open files and garbage collections."""
        registry = cls()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        return registry

    def counter(self, metric: Metric) -> Counter:
        """Return the counter of `metric`."""
        return self._once(
            metric, lambda: Counter(metric.name, metric.meaning, metric.labels, registry=self)
        )

    def gauge(self, metric: Metric) -> Gauge:
        """Return the gauge of `metric`, which is set when its value changes."""
        return self._once(
            metric, lambda: Gauge(metric.name, metric.meaning, metric.labels, registry=self)
        )

    def histogram(self, metric: Metric) -> Histogram:
        """Return the histogram of `metric`."""
        return self._once(
            metric,
            lambda: Histogram(
                metric.name, metric.meaning, metric.labels, buckets=metric.buckets, registry=self
            ),
        )

    def watch(
        self, metric: Metric, read: Callable[[], Iterable[tuple[Mapping[str, str], float]]]
    ) -> None:
        """Read a gauge from a function whenever metrics are collected.

        Args:
            metric: The gauge.
            read: Returns the label values and the value of each series. If it raises, the gauge is
                left out of that collection.
        """
        self.register(CallbackGauge(metric, read))

    def take_report(self, source: int, report: str) -> None:
        """Replace the counts of a child process with its newest report.

        Args:
            source: Id of the process.
            report: The result of `report_of` in that process.
        """
        for family in self.reported.report(source, report):
            metric = _BY_FAMILY.get(family)
            if metric is not None:
                make = {"counter": self.counter, "histogram": self.histogram}[metric.kind]
                make(metric)

    def collect(self) -> Iterator[Family]:
        """Yield all families, including the counts that child processes report."""
        for family in super().collect():
            yield self.reported.added_to(family)

    def _once(self, metric: Metric, make: Callable[[], _Instrument]) -> _Instrument:
        with self._making:
            made = self._instruments.get(metric.name)
            if made is None:
                made = self._instruments[metric.name] = make()
            return made  # type: ignore[return-value] # a metric has one kind
