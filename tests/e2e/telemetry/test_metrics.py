"""What Prometheus is told equals what is registered, and is true."""

import pytest

from fleet_platform.telemetry.catalogue import Metric, metrics
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.e2e.telemetry.conftest import SERVICES, Observed
from tests.e2e.telemetry.exposition import value
from tests.e2e.telemetry.workflow import EPOCHS, TRAININGS, pixels_inferred
from tests.support.scenes.lentils_scene import Scene

# A training in two processes imports torch twice.
pytestmark = pytest.mark.e2e

REGISTERED = (*metrics.METRICS, *metrics.LIBRARY_METRICS)


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_tells_what_is_registered_for_it_and_nothing_else(
    observed: Observed, service: str
) -> None:
    told = {name for name, family in observed.metrics[service].items() if family.samples}
    mine = [metric for metric in REGISTERED if service in metric.services]
    optional = {metric.family for metric in mine if metric.only_with}
    assert told - optional == {metric.family for metric in mine} - optional


@pytest.mark.parametrize("metric", REGISTERED, ids=lambda metric: metric.name)
def test_kind_labels_and_help_are_the_registered_ones(observed: Observed, metric: Metric) -> None:
    for service in metric.services:
        family = observed.metrics[service].get(metric.family)
        if family is None:
            assert metric.only_with
            continue
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert (family.type, labels) == (metric.kind, set(metric.labels))
        if metric in metrics.METRICS:
            assert family.documentation == metric.meaning


def test_calls_are_counted_by_method_and_code(observed: Observed) -> None:
    made = [call.method for call in observed.workflow.calls]
    for service, method in (("trainer", "Train"), ("inference", "Inference")):
        count = value(
            observed.metrics[service], "fleet_rpc_seconds_count", method=method, code="OK"
        )
        assert count == made.count(method)


def test_a_slow_call_leads_to_its_trace(observed: Observed) -> None:
    traces = {call.trace_id for call in observed.workflow.calls if call.method == "Inference"}
    exemplars = {
        sample.exemplar.labels["trace_id"]
        for sample in observed.metrics["inference"]["fleet_rpc_seconds"].samples
        if sample.exemplar and sample.labels["method"] == "Inference"
    }
    assert exemplars
    assert exemplars <= traces


def test_what_the_child_process_counts_is_not_lost(observed: Observed) -> None:
    trainer = observed.metrics["trainer"]
    messages = sum(
        "queued" not in message.message
        for told in observed.workflow.progress.values()
        for message in told
    )
    assert value(trainer, "fleet_epochs_total") == EPOCHS
    assert value(trainer, "fleet_runs_ended_total", state="complete") == TRAININGS
    assert value(trainer, "fleet_progress_messages_total") == messages
    for kind in ("statistical", "gradient"):
        assert value(trainer, "fleet_run_seconds_count", type=kind) == 1
    assert value(trainer, "fleet_artifact_bytes_total", operation="put") > 0
    assert value(trainer, "fleet_train_child_deaths_total") == 0
    assert pb.TRAINER_TYPE_GRADIENT in observed.workflow.progress


def test_pipelines_and_pixels_are_counted(observed: Observed, scene: Scene) -> None:
    inference = observed.metrics["inference"]
    assert value(inference, "fleet_pipeline_lookups_total", outcome="hit") >= 1
    built = value(inference, "fleet_pipeline_lookups_total", outcome="miss")
    assert built == value(inference, "fleet_pipelines_ready") >= 1
    assert value(inference, "fleet_materialise_seconds_count") >= built
    assert value(inference, "fleet_pipelines_bytes") > 0
    assert value(inference, "fleet_inference_pixels_total") == pixels_inferred(scene)


def test_health_and_sessions_are_told(observed: Observed) -> None:
    for service in SERVICES:
        assert value(observed.metrics[service], "fleet_serving") == 1
        assert value(observed.metrics[service], "fleet_dependency_up", dependency="redis") == 1
        assert value(observed.metrics[service], "fleet_redis_errors_total") == 0
    assert value(observed.metrics["session"], "fleet_sessions_open") == 1
    assert value(observed.metrics["trainer"], "fleet_runs", state="running") == 0


@pytest.mark.parametrize("service", SERVICES)
def test_the_gateway_tells_envoys_own(observed: Observed, service: str) -> None:
    gateway = observed.metrics["gateway"]
    cluster = {"envoy_cluster_name": service}
    assert value(gateway, "envoy_cluster_membership_healthy", **cluster) == 1
    assert value(gateway, "envoy_cluster_upstream_rq_total", **cluster) > 0
