"""A gauge whose value is read when it is collected."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from fleet_platform.telemetry.catalogue import Metric
from fleet_platform.telemetry.logs import logger

_log = logger("fleet.telemetry")


class CallbackGauge(Collector):
    """The time series of one gauge, read from a function."""

    def __init__(
        self, metric: Metric, read: Callable[[], Iterable[tuple[Mapping[str, str], float]]]
    ) -> None:
        self._metric = metric
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield the family without series, so that a second one with this name is rejected."""
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the family with its current series, or without any if they cannot be read."""
        family = self._family()
        try:
            for labels, value in self._read():
                family.add_metric([labels[name] for name in self._metric.labels], value)
        except Exception as error:  # one unavailable source must not hide all other metrics
            _log.debug("metric.not_read", metric=self._metric.name, error=str(error))
        yield family

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            self._metric.name, self._metric.meaning, labels=self._metric.labels
        )
