"""SetProfiling and GetProfilingSummary."""

import pytest
from grpc import StatusCode

from fleet_platform.errors import DependencyDown
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.service.inference.conftest import Fitted, Refused, Served, rx_config

NODES = ["data", "normalizer", "detector", "logit", "decider"]


def profile(served: Served, session: str, *, enabled: bool = True, **request: object) -> bool:
    return served.stub.SetProfiling(
        pb.SetProfilingRequest(session_id=session, enabled=enabled, **request)
    ).profiling_enabled


def summary(served: Served, session: str, **request: int) -> list[pb.NodeProfilingStats]:
    reply = served.stub.GetProfilingSummary(
        pb.GetProfilingSummaryRequest(session_id=session, **request)
    )
    return list(reply.node_stats)


@pytest.fixture
def session(served: Served, fitted: Fitted) -> str:
    return served.ready(fitted)


def test_nothing_is_timed_unless_asked_for(served: Served, session: str) -> None:
    served.infer(session)
    assert summary(served, session) == []


def test_each_node_is_timed_once_for_each_call(served: Served, session: str) -> None:
    assert profile(served, session)
    for _ in range(3):
        served.infer(session)
    stats = summary(served, session)
    assert [one.node_name for one in stats] == NODES
    for one in stats:
        assert one.stage == pb.EXECUTION_STAGE_INFERENCE
        assert one.count == 3
        assert 0 < one.min_ms <= one.median_ms <= one.max_ms
        assert one.min_ms <= one.mean_ms <= one.max_ms
        assert one.min_ms <= one.last_ms <= one.max_ms
        assert one.total_ms == pytest.approx(3 * one.mean_ms)
        assert one.std_ms >= 0


def test_only_what_ran_is_timed(served: Served, session: str) -> None:
    profile(served, session)
    served.infer(session, None, "normalizer.normalized")
    assert [one.node_name for one in summary(served, session)] == NODES[:2]


def test_timing_does_not_change_the_reply(served: Served, session: str) -> None:
    plain = served.infer(session)
    profile(served, session)
    assert served.infer(session) == plain


def test_switched_off_the_timings_stay(served: Served, session: str) -> None:
    profile(served, session)
    served.infer(session)
    assert not profile(served, session, enabled=False)
    served.infer(session)
    assert {one.count for one in summary(served, session)} == {1}


def test_reset(served: Served, session: str) -> None:
    profile(served, session)
    served.infer(session)
    profile(served, session, reset=False)
    assert {one.count for one in summary(served, session)} == {1}
    profile(served, session, reset=True)
    assert summary(served, session) == []
    served.infer(session)
    assert {one.count for one in summary(served, session)} == {1}


def test_the_first_n_are_left_out_and_unset_leaves_it_so(served: Served, session: str) -> None:
    profile(served, session, skip_first_n=2)
    profile(served, session)
    for _ in range(5):
        served.infer(session)
    assert {one.count for one in summary(served, session)} == {3}
    assert served.sessions.read(session).profiling.skip_first_n == 2
    profile(served, session, skip_first_n=0, reset=True)
    served.infer(session)
    assert {one.count for one in summary(served, session)} == {1}


def test_synchronize_cuda_is_kept_and_harmless_without_a_gpu(served: Served, session: str) -> None:
    profile(served, session, synchronize_cuda=True)
    profile(served, session)
    assert served.sessions.read(session).profiling.synchronize_cuda
    served.infer(session)
    assert len(summary(served, session)) == len(NODES)


def test_a_stage_chooses(served: Served, session: str) -> None:
    profile(served, session)
    served.infer(session)
    assert summary(served, session, stage=pb.EXECUTION_STAGE_TRAIN) == []
    everything = summary(served, session)
    assert summary(served, session, stage=pb.EXECUTION_STAGE_INFERENCE) == everything
    assert summary(served, session, stage=pb.EXECUTION_STAGE_UNSPECIFIED) == everything


def test_replicas_are_summed(served: Served, session: str) -> None:
    profile(served, session)
    served.infer(session)
    digest = served.sessions.read(session).pipeline.config_digest
    served.timings.record(
        session, digest, pb.EXECUTION_STAGE_INFERENCE, dict.fromkeys(NODES, 5000.0), 0
    )
    for one in summary(served, session):
        assert (one.count, one.max_ms, one.last_ms) == (2, 5000.0, 5000.0)


def test_another_pipeline_begins_with_nothing(served: Served, session: str) -> None:
    profile(served, session)
    served.infer(session)
    served.load(session, rx_config(description="another"))
    assert summary(served, session) == []


def test_a_call_that_fails_is_not_timed(served: Served, session: str, refused: Refused) -> None:
    profile(served, session)
    refused(
        lambda: served.infer(session, pb.InputBatch(text_prompt="x")), StatusCode.INVALID_ARGUMENT
    )
    assert summary(served, session) == []


def test_a_store_that_is_gone_costs_the_timings_alone(
    served: Served, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise DependencyDown("The session store does not answer; try again in a moment.")

    profile(served, session)
    monkeypatch.setattr(served.timings, "record", gone)
    assert served.infer(session).outputs


def test_what_is_refused(served: Served, session: str, refused: Refused) -> None:
    refused(
        lambda: profile(served, session, skip_first_n=-1),
        StatusCode.INVALID_ARGUMENT,
        "skip_first_n is -1; it must be 0 or more",
    )
    assert not served.sessions.read(session).profiling.enabled
    refused(
        lambda: summary(served, session, stage=9),
        StatusCode.INVALID_ARGUMENT,
        "stage 9 is unknown",
        "EXECUTION_STAGE_INFERENCE 4",
    )
    for call in (profile, summary):
        refused(lambda call=call: call(served, "x"), StatusCode.NOT_FOUND, "Session x not found")
    served.session("empty")
    for call in (profile, summary):
        refused(
            lambda call=call: call(served, "empty"), StatusCode.FAILED_PRECONDITION, "LoadPipeline"
        )
