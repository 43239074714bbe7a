"""What parts of a stack tell Prometheus."""

import urllib.request
from collections.abc import Mapping

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

Families = Mapping[str, Metric]

_OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def scrape(port: int) -> Families:
    """The families of a service, in the format that has exemplars."""
    return {family.name: family for family in openmetrics(_read(port, _OPENMETRICS))}


def scrape_envoy(port: int) -> Families:
    """The families of the gateway, which knows the plain format alone."""
    return {family.name: family for family in plain(_read(port, "text/plain"))}


def value(families: Families, name: str, **labels: str) -> float:
    """The one sample of this name and these labels, among others perhaps."""
    [found] = [
        sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return float(found)


def _read(port: int, accept: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=120) as reply:
        return str(reply.read().decode())
