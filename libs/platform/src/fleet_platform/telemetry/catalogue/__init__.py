"""The catalogue of every span and metric that the fleet emits.

Code refers to them by the constants of `spans` and `metrics`, so that nothing undeclared can be
emitted; ``docs/telemetry.md`` is generated from the same lists.
"""

from fleet_platform.telemetry.catalogue import metrics, spans
from fleet_platform.telemetry.catalogue.metric import Metric, MetricKind
from fleet_platform.telemetry.catalogue.span_name import SpanName

__all__ = ["Metric", "MetricKind", "SpanName", "metrics", "spans"]
