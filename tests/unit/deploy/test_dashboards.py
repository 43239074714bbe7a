"""Dashboards use metrics that exist."""

import importlib.util
import json
import re
from pathlib import Path

import promql_parser
import pytest

from tests.support.emitted_metrics import emitted_metrics

ROOT = Path(__file__).resolve().parents[3]
_NAME = re.compile(r"\b(?:fleet|envoy|process|python)_[a-z_]+")


@pytest.fixture(scope="module")
def dashboards():
    path = ROOT / "deploy/observability/render.py"
    spec = importlib.util.spec_from_file_location("render", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_files_are_what_the_source_says(dashboards):
    rendered = dashboards.render()
    lying = {path.name: path.read_text(encoding="utf-8") for path in dashboards.FOLDER.iterdir()}
    assert lying == rendered, "run: python deploy/observability/render.py"


def test_queries_name_metrics_and_labels_that_are_emitted(dashboards):
    emitted = emitted_metrics()
    for query in dashboards.queries():
        promql_parser.parse(query)
        labels = set()
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
