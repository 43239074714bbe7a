"""Callers receive the errors of handlers, for unary calls and streams alike."""

import re

import grpc
import pytest

from fleet_platform import errors
from fleet_platform.rpc import STATUS_OF
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.AppError) and kind is not errors.AppError
]


class NativePanic(BaseException):
    """An error that is not an Exception, as native extensions raise."""


def _raising(error):
    def unary(_request, _call):
        raise error

    def stream(_request, _call):
        yield pb.TrainResponse(message="first")
        raise error

    return {"CloseSession": unary, "Train": stream}


def _unary(served):
    return lambda: served.stub.CloseSession(pb.CloseSessionRequest())


def _stream(served):
    return lambda: list(served.stub.Train(pb.TrainRequest()))


CALLS = pytest.mark.parametrize("call", [_unary, _stream])


def _trace_id(error):
    return dict(error.trailing_metadata())["x-trace-id"]


@CALLS
@pytest.mark.parametrize("kind", KINDS)
def test_each_error_has_its_status_its_text_and_a_trace_id(serve, fails, call, kind):
    served = serve(**_raising(kind("Band 61 of 60 does not exist: größer als erlaubt.\nTry 59.")))
    error = fails(call(served))
    assert error.code() is STATUS_OF[kind.reason]
    assert error.details() == "Band 61 of 60 does not exist: größer als erlaubt.\nTry 59."
    assert re.fullmatch("[0-9a-f]{32}", _trace_id(error))


@CALLS
@pytest.mark.parametrize(
    "raised",
    [
        ValueError("password=hunter2"),
        NativePanic("password=hunter2"),
        Exception(),
        SystemExit(3),
        errors.AppError("password=hunter2"),
        grpc.FutureTimeoutError("password=hunter2"),
    ],
    ids=repr,
)
def test_unexpected_errors_are_logged_but_not_sent(serve, fails, capsys, call, raised):
    served = serve(**_raising(raised))
    error = fails(call(served))
    assert error.code() is grpc.StatusCode.INTERNAL
    trace_id = _trace_id(error)
    assert error.details() == (
        f"Unexpected error; the server's log has it under trace id {trace_id}."
    )
    log = capsys.readouterr().err
    failure = next(line for line in log.splitlines() if "call.failed_unexpectedly" in line)
    assert trace_id in failure
    assert type(raised).__name__ in log
    assert "Exception calling application" not in log


def test_the_first_message_of_a_failing_stream_arrives(serve, fails):
    served = serve(**_raising(errors.NotFound("Gone.")))
    stream = served.stub.Train(pb.TrainRequest())
    assert next(stream).message == "first"
    assert fails(lambda: next(stream)).code() is grpc.StatusCode.NOT_FOUND


@CALLS
def test_a_very_long_text_is_truncated_and_still_arrives(serve, fails, call):
    served = serve(**_raising(errors.InvalidInput("ü" * 100_000)))
    error = fails(call(served))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details().startswith("üüü")
    assert error.details().endswith(" ...")


def test_a_method_that_the_service_does_not_own_is_unknown_to_it(serve, fails):
    served = serve(Train=print)
    assert fails(_unary(served)).code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(("path", "kind"), [("CloseSession", "unary"), ("Train", "stream")])
def test_malformed_bytes_are_the_callers_mistake(serve, fails, path, kind):
    served = serve(**_raising(AssertionError("must not be reached")))
    make = served.channel.unary_unary if kind == "unary" else served.channel.unary_stream
    send = make(f"/cuvis_ai.v1.CuvisAIService/{path}")
    error = fails(lambda: list(send(b"\xff\xff")) if kind == "stream" else send(b"\xff\xff"))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == f"The request is not a cuvis_ai.v1.{path}Request message."


def test_a_response_of_the_wrong_type_is_a_defect(serve, fails):
    served = serve(CloseSession=lambda _request, _call: None)
    assert fails(_unary(served)).code() is grpc.StatusCode.INTERNAL


def test_a_server_continues_after_every_failure(serve, fails):
    def close(request, _call):
        if request.session_id == "bad":
            raise NativePanic
        return pb.CloseSessionResponse(success=True)

    served = serve(settings={"grpc_max_workers": 1}, CloseSession=close)
    for _ in range(5):
        fails(lambda: served.stub.CloseSession(pb.CloseSessionRequest(session_id="bad")))
        assert served.stub.CloseSession(pb.CloseSessionRequest(session_id="good")).success


@pytest.mark.parametrize(
    "service",
    [
        {"methods": {"Train": print}, "owned": {"StopTrain"}},
        {"methods": {}, "owned": {"NoSuchMethod"}},
        {"methods": {}, "owned": {"Train"}, "codecs": {"Train": None}},
    ],
)
def test_a_service_that_does_not_match_the_wire_does_not_start(serve, service):
    with pytest.raises(ValueError, match="tested does not own"):
        serve(service=service)


def test_a_service_without_a_handler_for_a_method_does_not_start(serve):
    with pytest.raises(ValueError, match=r"tested has no handlers for: \['StopTrain'\]"):
        serve(service={"owned": {"Train", "StopTrain"}}, Train=print)
