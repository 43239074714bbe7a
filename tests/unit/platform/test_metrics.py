"""Instruments of declared metrics, and counts of child processes."""

import urllib.request

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import DuplicateTimeseries

from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import MetricRegistry, exemplar, serve_metrics
from fleet_platform.telemetry.catalogue import metrics, spans
from fleet_platform.telemetry.reported_counts import report_of
from fleet_platform.telemetry.setup import configure_telemetry

SOURCE = 4711


@pytest.fixture
def registry():
    return MetricRegistry()


def test_a_second_request_returns_the_same_instrument(registry):
    registry.counter(metrics.EPOCHS).inc()
    registry.counter(metrics.EPOCHS).inc(2)
    assert registry.get_sample_value("fleet_epochs_total") == 3


def test_a_watched_gauge_is_read_when_collected_and_registered_once(registry):
    sizes = [7.0]
    registry.watch(metrics.RUNS, lambda: [({"state": "queued"}, sizes[0])])
    sizes[0] = 8.0
    assert registry.get_sample_value("fleet_runs", {"state": "queued"}) == 8
    with pytest.raises(DuplicateTimeseries):
        registry.watch(metrics.RUNS, lambda: [])


def test_a_gauge_that_cannot_be_read_hides_no_other(registry):
    def away():
        raise ConnectionError("the store is away")

    registry.watch(metrics.SESSIONS_OPEN, away)
    registry.counter(metrics.EPOCHS).inc()
    assert registry.get_sample_value("fleet_sessions_open") is None
    assert registry.get_sample_value("fleet_epochs_total") == 1


def child_that_counted(*, epochs, gets):
    child = MetricRegistry()
    child.counter(metrics.EPOCHS).inc(epochs)
    for _ in range(gets):
        child.histogram(metrics.REDIS_SECONDS).labels("GET").observe(0.002)
    return report_of(child)


def test_counts_of_another_process_are_added_once_however_often_they_are_reported(registry):
    registry.counter(metrics.EPOCHS).inc(1)
    registry.histogram(metrics.REDIS_SECONDS).labels("GET").observe(0.2)
    registry.take_report(SOURCE, child_that_counted(epochs=2, gets=1))
    registry.take_report(SOURCE, child_that_counted(epochs=3, gets=4))
    read = registry.get_sample_value
    assert read("fleet_epochs_total") == 4
    assert read("fleet_redis_seconds_count", {"command": "GET"}) == 5
    assert read("fleet_redis_seconds_bucket", {"command": "GET", "le": "0.0025"}) == 4
    assert read("fleet_redis_seconds_bucket", {"command": "GET", "le": "+Inf"}) == 5
    assert read("fleet_redis_seconds_sum", {"command": "GET"}) == pytest.approx(0.208)


def test_counts_of_an_ended_process_stay_and_its_id_may_be_reused(registry):
    registry.take_report(SOURCE, child_that_counted(epochs=5, gets=1))
    registry.reported.forget(SOURCE)
    registry.take_report(SOURCE, child_that_counted(epochs=1, gets=1))
    assert registry.get_sample_value("fleet_epochs_total") == 6
    assert registry.get_sample_value("fleet_redis_seconds_count", {"command": "GET"}) == 2


def test_the_sums_are_served_in_both_formats_with_exemplars_in_openmetrics(registry):
    registry.take_report(SOURCE, child_that_counted(epochs=2, gets=1))
    seconds = registry.histogram(metrics.REDIS_SECONDS).labels("GET")
    seconds.observe(0.2, {"trace_id": "0af7651916cd43dd8448eb211c80319c"})
    served = serve_metrics(registry, "127.0.0.1", 0)
    try:
        plain = ask(served.port, "text/plain")
        openmetrics = ask(served.port, "application/openmetrics-text; version=1.0.0")
    finally:
        served.stop()
    assert "fleet_epochs_total 2.0" in plain
    families = {family.name: family for family in text_string_to_metric_families(openmetrics)}
    assert families["fleet_epochs"].samples[0].value == 2
    exemplars = [
        sample.exemplar.labels
        for sample in families["fleet_redis_seconds"].samples
        if sample.exemplar
    ]
    assert exemplars == [{"trace_id": "0af7651916cd43dd8448eb211c80319c"}]


def test_a_trace_that_is_not_recorded_is_no_exemplar():
    configure_telemetry("tested", ServiceSettings())
    assert exemplar() is None


def test_no_name_is_declared_twice_and_counters_end_as_openmetrics_requires():
    every = (*metrics.METRICS, *metrics.LIBRARY_METRICS)
    assert len({metric.name for metric in every}) == len(every)
    assert len({(span.scope, span.name) for span in spans.SPANS}) == len(spans.SPANS)
    for metric in every:
        assert (metric.kind == "counter") == metric.name.endswith("_total"), metric.name
        assert (metric.kind == "histogram") == bool(metric.buckets), metric.name


@pytest.mark.parametrize(
    ("span", "name", "covered"),
    [
        (spans.CALL, "cuvis_ai.v1.CuvisAIService/Train", True),
        (spans.CALL, "cuvis_ai.v1.CuvisAIService/Train/2", False),
        (spans.GATEWAY_TRY, "router inference egress", True),
        (spans.GATEWAY_TRY, "router egress", False),
        (spans.PLAN, "engine.plan", True),
        (spans.PLAN, "engine-plan", False),
    ],
)
def test_a_part_in_braces_matches_anything_but_a_path(span, name, covered):
    assert span.covers(name) is covered


def ask(port, accept):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return reply.read().decode()
