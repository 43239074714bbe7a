"""The metrics of the registry and of the documentation, as Prometheus stores them."""

import re
from pathlib import Path

from fleet_platform.telemetry.catalogue import MetricKind, metrics

_DOCUMENTED = Path(__file__).resolve().parents[2] / "docs/telemetry.md"
_OF_EVERY_TARGET = frozenset({"job", "instance"})


def emitted_metrics() -> dict[str, frozenset[str]]:
    """Labels by name; a histogram has three names."""
    found = {"up": _OF_EVERY_TARGET}
    for metric in (*metrics.METRICS, *metrics.LIBRARY_METRICS):
        labels = _OF_EVERY_TARGET | set(metric.labels)
        if metric.kind is MetricKind.HISTOGRAM:
            found |= {f"{metric.name}_{suffix}": labels for suffix in ("count", "sum")}
            found[f"{metric.name}_bucket"] = labels | {"le"}
        else:
            found[metric.name] = labels
    for name in re.findall(r"`(envoy_\w+)`", _DOCUMENTED.read_text(encoding="utf-8")):
        found[name] = _OF_EVERY_TARGET | {"envoy_cluster_name", "le"}
    return found
