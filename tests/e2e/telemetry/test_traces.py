"""Every call is one connected trace, from the gateway to Redis, the engine and child processes."""

import pytest

from fleet_platform.telemetry.catalogue import SpanName, spans
from tests.e2e.telemetry.conftest import Observed
from tests.e2e.telemetry.workflow import EPOCHS
from tests.support.otlp_receiver import ReceivedSpan

# A training in two processes imports torch twice.
pytestmark = pytest.mark.e2e

SERVICE_OF_CALL = {
    "CreateSession": "session",
    "LoadPlugin": "session",
    "ResolveConfig": "config",
    "SetTrainRunConfig": "trainer",
    "Train": "trainer",
    "GetTrainStatus": "trainer",
    "Inference": "inference",
    "SavePipeline": "inference",
    "LoadPipelineWeights": "inference",
    "CloseSession": "session",
}
STATISTICAL, GRADIENT = 0, 1
FIRST, SECOND = 0, 1


def test_every_call_is_one_tree_from_the_gateway_to_redis(observed: Observed) -> None:
    assert {call.method for call in observed.workflow.calls} == SERVICE_OF_CALL.keys()
    for call in observed.workflow.calls:
        trace = observed.trace(call.trace_id)
        _assert_connected(trace)
        assert {span.service for span in trace} == {"gateway", SERVICE_OF_CALL[call.method]}
        assert _of(trace, spans.REDIS), call
        [gateway, *_] = [span for span in trace if not span.parent_id]
        assert spans.GATEWAY_CALL.covers(gateway.name)
        assert gateway.name.endswith(f"/{call.method}")


def test_an_inference_tells_of_its_pipeline_and_each_group_of_nodes(observed: Observed) -> None:
    trace = observed.trace(observed.workflow.trace_of("Inference", FIRST))
    [call], [built], [plan] = (
        _of(trace, span) for span in (spans.CALL, spans.MATERIALISE, spans.PLAN)
    )
    groups = _of(trace, spans.SEGMENT)
    assert built.parent_id == plan.parent_id == call.span_id
    assert [span.parent_id for span in _of(trace, spans.ARTIFACT_GET)] == [built.span_id]
    assert {group.parent_id for group in groups} == {plan.span_id}
    assert sum(len(group.nodes) for group in groups) == int(call.attributes["fleet.nodes"])


def test_a_pipeline_that_stands_ready_is_not_built_again(observed: Observed) -> None:
    trace = observed.trace(observed.workflow.trace_of("Inference", SECOND))
    assert not _of(trace, spans.MATERIALISE)
    assert _of(trace, spans.SEGMENT)


@pytest.mark.parametrize("index", [STATISTICAL, GRADIENT])
def test_a_training_goes_on_in_its_child_process(observed: Observed, index: int) -> None:
    trace = observed.trace(observed.workflow.trace_of("Train", index))
    [call], [run] = _of(trace, spans.CALL), _of(trace, spans.RUN)
    assert run.process != call.process
    assert run.attributes["fleet.run_id"] == call.attributes["fleet.run_id"]
    inside = [span for span in trace if span.process == run.process]
    assert all(_is_below(span, run, trace) for span in inside if span is not run)
    assert _of(inside, spans.REDIS)
    assert _of(inside, spans.ARTIFACT_PUT)


def test_fits_epochs_and_what_follows_are_told(observed: Observed) -> None:
    statistical = observed.trace(observed.workflow.trace_of("Train", STATISTICAL))
    gradient = observed.trace(observed.workflow.trace_of("Train", GRADIENT))
    [run] = _of(gradient, spans.RUN)
    epochs = [span for span in _of(gradient, spans.EPOCH) if span.process == run.process]
    assert _of(statistical, spans.FIT)
    assert [span.attributes["fleet.epoch"] for span in epochs] == [str(n) for n in range(EPOCHS)]
    assert [span.parent_id for span in epochs] == [run.span_id] * EPOCHS
    assert [span.parent_id for span in _of(gradient, spans.POST_FIT)] == [run.span_id]


def test_a_rank_takes_part_in_the_trace(observed: Observed) -> None:
    trace = observed.trace(observed.workflow.trace_of("Train", GRADIENT))
    [run], [rank] = _of(trace, spans.RUN), _of(trace, spans.RANK)
    assert rank.attributes["fleet.rank"] == "1"
    assert rank.process != run.process
    assert _is_below(rank, run, trace)
    [epoch, *_] = [span for span in _of(trace, spans.EPOCH) if span.process == rank.process]
    assert epoch.parent_id == rank.span_id


def test_batches_of_a_training_do_not_drown_its_trace(observed: Observed) -> None:
    trace = observed.trace(observed.workflow.trace_of("Train", GRADIENT))
    assert not _of(trace, spans.PLAN)
    assert len(trace) < 200


def test_no_span_comes_that_is_not_registered(observed: Observed) -> None:
    for span in observed.spans:
        kind = _kind_of(span)
        assert kind is not None, span
        own = span.attributes.keys() - _of_the_gateway(span)
        assert own <= set(kind.attributes), span


@pytest.mark.parametrize("span", spans.SPANS, ids=lambda span: f"{span.scope}: {span.name}")
def test_each_registered_span_comes_from_all_that_it_is_registered_for(
    observed: Observed, span: SpanName
) -> None:
    assert {each.service for each in _of(observed.spans, span)} == set(span.services)


def _of(trace: list[ReceivedSpan], kind: SpanName) -> list[ReceivedSpan]:
    return [span for span in trace if _kind_of(span) is kind]


def _kind_of(span: ReceivedSpan) -> SpanName | None:
    scope = "" if span.service == "gateway" else span.scope
    kinds = (kind for kind in spans.SPANS if kind.scope == scope and kind.covers(span.name))
    return next(kinds, None)


def _of_the_gateway(span: ReceivedSpan) -> set[str]:
    """Attributes that Envoy gives are Envoy's."""
    return set(span.attributes) if span.service == "gateway" else set()


def _is_below(span: ReceivedSpan, top: ReceivedSpan, trace: list[ReceivedSpan]) -> bool:
    by_id = {each.span_id: each for each in trace}
    above = by_id.get(span.parent_id)
    while above is not None and above is not top:
        above = by_id.get(above.parent_id)
    return above is top


def _assert_connected(trace: list[ReceivedSpan]) -> None:
    """One tree that the gateway's span is the root of."""
    assert [span.service for span in trace if not span.parent_id] == ["gateway"]
    ids = {span.span_id for span in trace}
    lost = [(s.service, s.name) for s in trace if s.parent_id and s.parent_id not in ids]
    assert not lost
