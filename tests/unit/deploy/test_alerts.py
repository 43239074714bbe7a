"""Alerts use metrics that exist, and the operations guide explains each one."""

import re
from pathlib import Path

import grpc
import promql_parser
import pytest
import yaml

from tests.support.emitted_metrics import emitted_metrics
from tests.support.service_settings import SETTINGS

ROOT = Path(__file__).resolve().parents[3]
KNOWN_VALUES = {
    "job": SETTINGS.keys(),
    "envoy_cluster_name": SETTINGS.keys() - {"gateway"},
    "code": {code.name for code in grpc.StatusCode},
}


def _read(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rules():
    return [
        rule
        for group in _read("deploy/observability/alerts.yaml")["groups"]
        for rule in group["rules"]
    ]


def _parts(node):
    """A parsed expression and everything in it."""
    yield node
    if isinstance(node, promql_parser.Call):
        inside = node.args
    else:
        names = ("lhs", "rhs", "expr", "vector_selector", "vs")
        inside = [getattr(node, name) for name in names if hasattr(node, name)]
    for each in inside:
        yield from _parts(each)


def _selectors(query):
    parts = _parts(promql_parser.parse(query))
    return [part for part in parts if isinstance(part, promql_parser.VectorSelector)]


def test_alerts_ask_for_metrics_labels_and_values_that_are_emitted(rules):
    emitted = emitted_metrics()
    for rule in rules:
        selectors = _selectors(rule["expr"])
        assert selectors, rule["alert"]
        for selector in selectors:
            assert selector.name in emitted, rule["alert"]
            for matcher in selector.matchers.matchers:
                assert matcher.name in emitted[selector.name], rule["alert"]
                known = KNOWN_VALUES.get(matcher.name)
                assert known is None or set(matcher.value.split("|")) <= known, rule["alert"]
        labels = set().union(*(emitted[selector.name] for selector in selectors))
        grouped = re.findall(r"by\s*\(([^)]*)\)", rule["expr"])
        for names in grouped:
            assert set(names.split(", ")) <= labels, rule["alert"]
        # What is left of a sum are the labels that it is grouped by.
        left = set(", ".join(grouped).split(", ")) if grouped else labels
        shown = re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])
        assert set(shown) <= left, rule["alert"]


def test_the_operations_guide_explains_each_alert(rules):
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \|", text.partition("## Alerts")[2], re.MULTILINE)
    assert listed == [(rule["alert"], rule["labels"]["severity"]) for rule in rules]
    assert all(rule["annotations"]["summary"] for rule in rules)


def test_prometheus_reads_the_alerts_and_has_the_file():
    (name,) = _read("deploy/observability/prometheus.yaml")["rule_files"]
    mounts = _read("compose.observability.yaml")["services"]["prometheus"]["volumes"]
    assert f"./deploy/observability/{name}:/etc/prometheus/{name}:ro" in mounts
