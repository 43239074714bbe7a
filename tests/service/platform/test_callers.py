"""Callers as reported by the gateway: handlers know them, and their calls are limited."""

import threading

import grpc
import pytest

from fleet_platform.caller import Caller, current_caller
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.polling import wait_until

REQUEST = pb.CloseSessionRequest()
DEADLINE_S = 300.0
ALICE, BOB = (("x-fleet-caller", "alice"),), (("x-fleet-caller", "bob"),)
MOST = 2


def test_a_handler_knows_the_caller_of_unary_calls_and_of_streams(serve):
    seen = []

    def close(_request, _call):
        seen.append(current_caller())
        return pb.CloseSessionResponse()

    def train(_request, _call):
        seen.append(current_caller())
        yield pb.TrainResponse()
        seen.append(current_caller())

    stub = serve(CloseSession=close, Train=train).stub
    stub.CloseSession(REQUEST, metadata=(*ALICE, ("x-fleet-address", "192.0.2.7")))
    list(stub.Train(pb.TrainRequest(), metadata=BOB))
    stub.CloseSession(REQUEST)

    assert seen == [Caller("alice", "192.0.2.7"), Caller("bob"), Caller("bob"), Caller()]
    assert current_caller() is None


@pytest.fixture
def bounded(serve):
    """A service whose calls run until ``release`` is set."""
    release, running = threading.Event(), []

    def close(_request, _call):
        running.append(1)
        release.wait(DEADLINE_S)
        return pb.CloseSessionResponse(success=True)

    def train(_request, _call):
        running.append(1)
        yield pb.TrainResponse()
        release.wait(DEADLINE_S)

    served = serve({"grpc_max_calls_per_caller": MOST}, CloseSession=close, Train=train)
    served.release, served.started = release, running
    yield served
    release.set()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ALICE, BOB),
        *((((key, "192.0.2.7"),), ((key, "192.0.2.8"),)) for key in ("x-fleet-address",)),
    ],
    ids=["identities", "addresses"],
)
def test_the_concurrent_calls_of_each_caller_are_limited(bounded, fails, first, second):
    stub = bounded.stub
    calls = [stub.CloseSession.future(REQUEST, metadata=first)]
    stream = stub.Train(pb.TrainRequest(), metadata=first)
    next(stream)
    wait_until(lambda: len(bounded.started) == MOST, "both run")

    refusal = fails(lambda: stub.CloseSession(REQUEST, metadata=first, timeout=DEADLINE_S))
    assert refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert f"You already have {MOST} calls running" in refusal.details()

    calls += [stub.CloseSession.future(REQUEST, metadata=second)]
    calls += [stub.CloseSession.future(REQUEST) for _ in range(MOST + 1)]
    wait_until(
        lambda: len(bounded.started) == 2 * MOST + 2, "other callers and calls without a caller run"
    )
    bounded.release.set()
    assert all(call.result(DEADLINE_S).success for call in calls)
    assert list(stream) == []
    assert stub.CloseSession(REQUEST, metadata=first, timeout=DEADLINE_S).success
