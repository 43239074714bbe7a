"""Every span and metric that the fleet emits, written down once.

Code names them by the constants of `spans` and `metrics`, so that nothing can be emitted that is
not here; ``docs/telemetry.md`` is made from the same lists.
"""

from fleet_platform.telemetry.registry import metrics, spans
from fleet_platform.telemetry.registry.metric import Metric, MetricKind
from fleet_platform.telemetry.registry.span_name import SpanName

__all__ = ["Metric", "MetricKind", "SpanName", "metrics", "spans"]
