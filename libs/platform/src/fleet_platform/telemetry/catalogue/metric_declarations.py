"""Declares metrics and lists them."""

from fleet_platform.telemetry.catalogue.metric import Metric, MetricKind


class MetricDeclarations:
    """The metrics declared so far, in their order."""

    def __init__(self) -> None:
        self.metrics: list[Metric] = []

    def counter(
        self, *, name: str, meaning: str, services: tuple[str, ...], labels: tuple[str, ...] = ()
    ) -> Metric:
        """Declare a counter."""
        return self._declare(
            Metric(
                name=name,
                kind=MetricKind.COUNTER,
                meaning=meaning,
                services=services,
                labels=labels,
            )
        )

    def gauge(
        self,
        *,
        name: str,
        meaning: str,
        services: tuple[str, ...],
        labels: tuple[str, ...] = (),
        only_with: str = "",
    ) -> Metric:
        """Declare a gauge."""
        return self._declare(
            Metric(
                name=name,
                kind=MetricKind.GAUGE,
                meaning=meaning,
                services=services,
                labels=labels,
                only_with=only_with,
            )
        )

    def histogram(
        self,
        *,
        name: str,
        meaning: str,
        services: tuple[str, ...],
        buckets: tuple[float, ...],
        labels: tuple[str, ...] = (),
    ) -> Metric:
        """Declare a histogram."""
        return self._declare(
            Metric(
                name=name,
                kind=MetricKind.HISTOGRAM,
                meaning=meaning,
                services=services,
                labels=labels,
                buckets=buckets,
            )
        )

    def _declare(self, metric: Metric) -> Metric:
        self.metrics.append(metric)
        return metric
