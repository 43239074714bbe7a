"""Which calls are repeated, when, and for how long, with and without asyncio."""

import socket
import time

import grpc
import numpy as np
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

import cuvis_fleet
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.fake_service import SESSION_ID
from tests.unit.client.conftest import QUICK

AT_ONCE = cuvis_fleet.RetryPolicy(first_s=0.0)
CUBE = np.zeros((1, 1, 1), np.uint8)

ASKED = {
    "CreateSession": lambda client: client.open_session(),
    "CloseSession": lambda client: client.attach(SESSION_ID).close(),
    "RestoreTrainRun": lambda client: client.attach(SESSION_ID).restore_trainrun("run.yaml"),
    "LoadPipelineWeights": lambda client: client.attach(SESSION_ID).load({}, "a.pt"),
    "SavePipeline": lambda client: client.attach(SESSION_ID).save("a.yaml"),
    "GetTrainStatus": lambda client: client.attach(SESSION_ID).status(),
    "Inference": lambda client: client.attach(SESSION_ID).infer(CUBE, [1]),
}
ONCE_ONLY = {"CreateSession", "CloseSession", "RestoreTrainRun"}

UNSENT = (grpc.StatusCode.UNAVAILABLE, "No healthy replica of the service is left.")
BROKEN_OFF = [
    (grpc.StatusCode.UNAVAILABLE, "Socket closed"),
    (grpc.StatusCode.INTERNAL, "Received RST_STREAM with error code 2"),
    (grpc.StatusCode.UNKNOWN, "Stream removed"),
]
CONFLICT = (grpc.StatusCode.ABORTED, "The session was changed meanwhile.")
FINAL = [
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
]
TABLE = [
    *((method, UNSENT, True) for method in ASKED),
    *((method, failure, method not in ONCE_ONLY) for method in ASKED for failure in BROKEN_OFF),
    *((method, CONFLICT, method != "LoadPipelineWeights") for method in ASKED),
    *(("Inference", (code, "no"), False) for code in FINAL),
]


@pytest.fixture
def fail_once(double):
    """``fail_once(method, failure)``: only the next call of the method fails."""
    double.answers["LoadPipeline"] = pb.LoadPipelineResponse(success=True)

    def answer(method, failure):
        good = getattr(pb, f"{method}Response")()
        left = [failure, good]
        double.answers[method] = lambda: left.pop(0)

    return answer


@pytest.mark.parametrize(
    ("method", "failure", "again"),
    TABLE,
    ids=[f"{method}-{code.name}-{text.split()[0]}" for method, (code, text), _ in TABLE],
)
def test_which_calls_are_repeated(using, address, double, fail_once, method, failure, again):
    fail_once(method, failure)
    if again:
        using(address, ASKED[method], retries=QUICK)
    else:
        with pytest.raises(cuvis_fleet.CuvisFleetError, match=failure[1]):
            using(address, ASKED[method], retries=QUICK)
    assert len(double.requests(method)) == 1 + again


def test_without_a_policy_no_call_is_repeated(using, address, double, fail_once):
    fail_once("Inference", UNSENT)
    with pytest.raises(cuvis_fleet.Unavailable):
        using(address, ASKED["Inference"], retries=None)
    assert len(double.requests("Inference")) == 1


def _status_with_retry_info(delay):
    packed = Any()
    packed.Pack(RetryInfo(retry_delay=delay))
    status = Status(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], details=[packed])
    return status.SerializeToString()


@pytest.mark.parametrize(
    ("trailer", "wait_s"),
    [
        (("grpc-status-details-bin", _status_with_retry_info(Duration(nanos=300_000_000))), 0.3),
        (("grpc-retry-pushback-ms", "200"), 0.2),
        (("retry-after", "1"), 1.0),
    ],
    ids=["retry-info", "pushback", "retry-after"],
)
def test_the_requested_delay_is_respected(using, address, double, fail_once, trailer, wait_s):
    double.trailers = (trailer,)
    fail_once("CreateSession", (grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls"))
    began_s = time.monotonic()
    using(address, ASKED["CreateSession"], retries=AT_ONCE)
    assert time.monotonic() - began_s >= wait_s
    assert len(double.requests("CreateSession")) == 2


def test_a_requested_delay_beyond_the_limit_fails_immediately(using, address, double, fail_once):
    double.trailers = (("retry-after", "30"),)
    fail_once("Inference", (grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls"))
    began_s = time.monotonic()
    with pytest.raises(cuvis_fleet.Exhausted, match="too many calls"):
        using(address, ASKED["Inference"], retries=QUICK)
    assert time.monotonic() - began_s < 25
    assert len(double.requests("Inference")) == 1


@pytest.mark.parametrize(
    "bound",
    [
        {"retries": cuvis_fleet.RetryPolicy(first_s=0.05, most_s=0.05, within_s=3.0)},
        {"retries": cuvis_fleet.RetryPolicy(first_s=0.05, most_s=0.05), "timeout_s": 3.0},
    ],
    ids=["policy", "deadline"],
)
def test_a_persistent_failure_is_raised_at_the_limit(using, address, double, bound):
    double.answers["Inference"] = BROKEN_OFF[0]
    began_s = time.monotonic()
    # The error is the cause, not that the time limit is reached.
    with pytest.raises(cuvis_fleet.Unavailable, match="Socket closed"):
        using(address, ASKED["Inference"], **bound)
    assert 0.3 < time.monotonic() - began_s < 60
    assert len(double.requests("Inference")) > 3


def test_an_address_that_never_answered_fails_immediately(using):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    began_s = time.monotonic()
    with pytest.raises(cuvis_fleet.Unavailable, match="no server answers"):
        using(address, ASKED["Inference"])
    assert time.monotonic() - began_s < 30


POLICIES = st.builds(cuvis_fleet.RetryPolicy, first_s=st.floats(0, 10), most_s=st.floats(0, 10))


@given(POLICIES, st.integers(1, 10_000))
def test_a_pause_is_within_its_bounds(policy, failures):
    assert 0 <= policy.pause_s(failures) <= policy.most_s
    if failures < 30:
        assert policy.pause_s(failures) <= policy.first_s * 2 ** (failures - 1)


@pytest.mark.parametrize(("failures", "bound_s"), [(1, 0.1), (2, 0.2), (4, 0.8), (20, 5.0)])
def test_pauses_are_spread_up_to_a_limit_that_doubles(failures, bound_s):
    pauses_s = [cuvis_fleet.RetryPolicy().pause_s(failures) for _ in range(500)]
    assert min(pauses_s) < bound_s / 4
    assert bound_s * 3 / 4 < max(pauses_s) <= bound_s
