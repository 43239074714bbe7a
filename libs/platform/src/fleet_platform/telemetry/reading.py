"""A gauge that is read when somebody asks."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from fleet_platform.telemetry.logs import logger
from fleet_platform.telemetry.registry import Metric

_log = logger("fleet.telemetry")


class Reading(Collector):
    """Series of one gauge, from a function."""

    def __init__(
        self, metric: Metric, read: Callable[[], Iterable[tuple[Mapping[str, str], float]]]
    ) -> None:
        self._metric = metric
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The family without series, so that a second one of the same name is refused."""
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The family with the series as they are now; without any where they cannot be read."""
        family = self._family()
        try:
            for labels, value in self._read():
                family.add_metric([labels[name] for name in self._metric.labels], value)
        except Exception as error:  # one source that is away must not hide all other metrics
            _log.debug("metric.not_read", metric=self._metric.name, error=str(error))
        yield family

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            self._metric.name, self._metric.meaning, labels=self._metric.labels
        )
