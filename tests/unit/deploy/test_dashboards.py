"""Dashboards ask for what is emitted."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from fleet_platform.telemetry.registry import MetricKind, metrics

ROOT = Path(__file__).resolve().parents[3]
_NAME = re.compile(r"\b(?:fleet|envoy|process|python)_[a-z_]+")
_OF_PROMETHEUS = {"job", "instance", "le"}


@pytest.fixture(scope="module")
def dashboards():
    path = ROOT / "deploy/observability/render.py"
    spec = importlib.util.spec_from_file_location("render", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _emitted():
    """Names as Prometheus stores them, each with its labels."""
    for metric in (*metrics.METRICS, *metrics.LIBRARY_METRICS):
        if metric.kind is MetricKind.HISTOGRAM:
            for suffix in ("bucket", "count", "sum"):
                yield f"{metric.name}_{suffix}", set(metric.labels)
        else:
            yield metric.name, set(metric.labels)
    documented = (ROOT / "docs/telemetry.md").read_text(encoding="utf-8")
    for name in re.findall(r"`(envoy_\w+)`", documented):
        yield name, {"envoy_cluster_name"}


def test_files_are_what_the_source_says(dashboards):
    rendered = dashboards.render()
    lying = {path.name: path.read_text(encoding="utf-8") for path in dashboards.FOLDER.iterdir()}
    assert lying == rendered, "run: python deploy/observability/render.py"


def test_queries_name_metrics_and_labels_that_are_emitted(dashboards):
    emitted = dict(_emitted())
    for query in dashboards.queries():
        labels = set(_OF_PROMETHEUS)
        names = [name for name in _NAME.findall(query) if name != "envoy_cluster_name"]
        assert names, query
        for name in names:
            assert name in emitted, query
            labels |= emitted[name]
        for grouped in re.findall(r"by \(([^)]*)\)", query):
            assert set(grouped.split(", ")) <= labels, query


def test_what_operators_look_for_first_is_shown(dashboards):
    shown = {
        json.loads(text)["title"]: json.loads(text)["panels"]
        for text in dashboards.render().values()
    }
    assert shown.keys() == {
        "Fleet health",
        "Latency by method",
        "Queue depth",
        "GPU memory",
        "Training progress",
    }
    assert all(panels for panels in shown.values())
