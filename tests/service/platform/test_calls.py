"""Deadlines, cancellation, codecs and large messages, as seen by a handler and its caller."""

import threading

import grpc
import pytest

from fleet_platform.errors import Cancelled, InvalidInput
from fleet_platform.rpc import Codec
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.polling import wait_until

REQUEST = pb.CloseSessionRequest()
OK = pb.CloseSessionResponse(success=True)


def test_a_call_knows_its_deadline_caller_and_trace(serve):
    seen = []

    def close(_request, call):
        seen.append((call.remaining_s(), call.caller, call.trace_id, call.is_active()))
        call.check()
        return OK

    served = serve(CloseSession=close)
    _, reply = served.stub.CloseSession.with_call(REQUEST, timeout=30)
    served.stub.CloseSession(REQUEST)
    (bounded_s, caller, trace_id, active), (unbounded_s, *_) = seen
    # gRPC sends deadlines between 10 s and 100 s in steps of 0.1 s, rounded up.
    assert 0 < bounded_s <= 30 + 0.1
    assert unbounded_s is None
    assert "127.0.0.1" in caller
    assert dict(reply.trailing_metadata()) == {"x-trace-id": trace_id}
    assert active


def test_the_size_of_a_long_reply_is_announced(serve):
    served = serve(
        ListAvailableNodes=lambda request, _call: pb.ListAvailableNodesResponse(
            nodes=[pb.NodeInfo(full_path="x" * (40_000 if request.session_id else 1))]
        )
    )
    for session_id, announced in (("", False), ("long", True)):
        answer, call = served.stub.ListAvailableNodes.with_call(
            pb.ListAvailableNodesRequest(session_id=session_id)
        )
        expected = {"x-fleet-answer-bytes": str(answer.ByteSize())} if announced else {}
        assert dict(call.initial_metadata()) == expected


def test_a_cancelled_call_ends_at_its_next_check(serve):
    started, ended = threading.Event(), []

    def close(_request, call):
        started.set()
        wait_until(lambda: not call.is_active(), "the caller has left")
        try:
            call.check()
        except Cancelled as error:
            ended.append(error.text)
            raise
        return OK

    served = serve(CloseSession=close)
    future = served.stub.CloseSession.future(REQUEST)
    assert started.wait(120)
    future.cancel()
    wait_until(lambda: ended, "the work ended")
    assert ended == ["The caller has left."]


def test_a_passed_deadline_is_the_callers_deadline_exceeded_and_our_check(serve, fails, capsys):
    ended = threading.Event()

    def close(_request, call):
        wait_until(lambda: call.remaining_s() == 0, "the deadline passed")
        try:
            call.check()
        finally:
            ended.set()

    served = serve(CloseSession=close)
    error = fails(lambda: served.stub.CloseSession(REQUEST, timeout=0.05))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert ended.wait(120)
    wait_until(lambda: served.running.busy == 0, "no call runs")
    assert "unexpected" not in capsys.readouterr().err


def test_a_cancelled_stream_is_closed(serve, capsys):
    closed = threading.Event()

    def train(_request, call):
        try:
            while True:
                yield pb.TrainResponse()
        finally:
            closed.set()

    served = serve(Train=train)
    stream = served.stub.Train(pb.TrainRequest())
    next(stream)
    stream.cancel()
    assert closed.wait(120)
    wait_until(lambda: served.running.busy == 0, "no call runs")
    log = capsys.readouterr().err
    assert "CANCELLED" in log
    assert "unexpected" not in log


@pytest.fixture
def one_busy_worker(serve):
    """A server whose only worker is busy until `release`, and the calls that it has started."""
    release, running, started = threading.Event(), threading.Event(), []

    def close(request, _call):
        started.append(request.session_id)
        running.set()
        release.wait(120)
        return OK

    served = serve(settings={"grpc_max_workers": 1}, CloseSession=close)
    first = served.stub.CloseSession.future(pb.CloseSessionRequest(session_id="first"))
    assert running.wait(120)
    return served, first, started, release


def test_a_call_whose_deadline_passed_in_the_queue_is_not_started(one_busy_worker, fails):
    served, first, started, release = one_busy_worker
    late = pb.CloseSessionRequest(session_id="late")
    error = fails(lambda: served.stub.CloseSession(late, timeout=0.05))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    release.set()
    assert first.result(120).success
    wait_until(lambda: served.running.busy == 0, "no call runs")
    assert started == ["first"]


def test_a_call_that_was_cancelled_in_the_queue_is_not_started(one_busy_worker):
    served, first, started, release = one_busy_worker
    left = served.stub.CloseSession.future(pb.CloseSessionRequest(session_id="left"))
    wait_until(lambda: served.running.busy == 2, "the second waits in the queue")
    left.cancel()
    last = served.stub.CloseSession.future(pb.CloseSessionRequest(session_id="last"))
    wait_until(lambda: served.running.busy == 3, "the third waits behind it")
    release.set()
    assert first.result(120).success
    assert last.result(120).success
    wait_until(lambda: served.running.busy == 0, "no call runs")
    assert started == ["first", "last"]


def test_a_codec_replaces_protobuf(serve):
    codec = Codec(decode=lambda raw: raw, encode=lambda text: text.encode())
    served = serve(
        service={"codecs": {"CloseSession": codec}},
        CloseSession=lambda raw, _call: raw.decode().upper(),
    )
    send = served.channel.unary_unary("/cuvis_ai.v1.CuvisAIService/CloseSession")
    assert send(b"any bytes") == b"ANY BYTES"


def test_a_codec_may_reject_a_request(serve, fails):
    def refuse(_raw):
        raise InvalidInput("inputs.cube.shape: 3 numbers, not 4.")

    codec = Codec(decode=refuse, encode=bytes)
    served = serve(service={"codecs": {"CloseSession": codec}}, CloseSession=print)
    error = fails(lambda: served.stub.CloseSession(REQUEST))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "inputs.cube.shape: 3 numbers, not 4."


def test_messages_may_be_large(serve):
    served = serve(
        ResolveConfig=lambda r, _call: pb.ResolveConfigResponse(config_bytes=b"x" * 2**24)
    )
    assert len(served.stub.ResolveConfig(pb.ResolveConfigRequest()).config_bytes) == 2**24


def test_a_message_above_the_limit_is_rejected(serve, fails):
    served = serve(settings={"grpc_max_msg_size": 1000}, CloseSession=lambda r, c: OK)
    big = pb.CloseSessionRequest(session_id="x" * 2000)
    assert fails(lambda: served.stub.CloseSession(big)).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
