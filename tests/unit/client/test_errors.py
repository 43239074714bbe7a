"""Failures become exceptions with a text, a method and a trace id."""

import pickle
import re
import threading

import grpc
import numpy as np
import pytest

import cuvis_fleet
from cuvis_fleet.errors import ERROR_OF_CODE
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code.name != "OK"])
def test_each_status_code_raises_its_exception(client, double, code):
    double.answers["CreateSession"] = (code, "what is wrong")
    with pytest.raises(cuvis_fleet.CuvisFleetError) as caught, client.session():
        pass
    error = caught.value
    assert type(error) is ERROR_OF_CODE.get(code, cuvis_fleet.CuvisFleetError)
    assert (error.method, error.code, error.text) == ("CreateSession", code, "what is wrong")
    assert str(error) == f"CreateSession: what is wrong ({code.name}, trace id {error.trace_id})"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda session: session.infer(np.zeros((2, 2))), "the cube has the shape (2, 2)"),
        (lambda session: list(session.train("fast")), "trainer is 'fast'; use one of"),
        (lambda session: list(session.train(key="short")), "key is 'short'; use 16 to 64"),
        (lambda session: session.infer(points=[cuvis_fleet.Point(1, 1, "good")]), "kind is 'good'"),
    ],
    ids=["cube", "trainer", "key", "point"],
)
def test_a_wrong_argument_is_also_a_value_error(session, double, call, text):
    before = len(double.received)
    with pytest.raises(cuvis_fleet.InvalidInput) as caught:
        call(session)
    error = caught.value
    assert isinstance(error, ValueError)
    assert str(error) == error.text
    assert error.text.startswith(text)
    assert (error.method, error.code, error.trace_id) == (
        "",
        grpc.StatusCode.INVALID_ARGUMENT,
        "",
    )
    assert len(double.received) == before, "nothing was sent"


def test_errors_can_be_pickled():
    failed = cuvis_fleet.NotFound("Train", grpc.StatusCode.NOT_FOUND, "gone", "ab")
    for error in (failed, cuvis_fleet.WrongArgument("the cube is flat")):
        assert vars(pickle.loads(pickle.dumps(error))) == vars(error)


def test_each_call_has_and_returns_a_separate_trace_id(session, double):
    double.answers["Inference"] = pb.InferenceResponse()
    double.answers["GetTrainStatus"] = (grpc.StatusCode.NOT_FOUND, "gone")
    result = session.infer(np.zeros((1, 1, 1), np.uint8), [1])
    with pytest.raises(cuvis_fleet.NotFound) as caught:
        session.status()
    traceparents = double.traceparents
    for traceparent in traceparents.values():
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", traceparent)
    assert len({traceparent.split("-")[1] for traceparent in traceparents.values()}) == 3
    assert traceparents["Inference"].split("-")[1] == result.trace_id
    assert traceparents["GetTrainStatus"].split("-")[1] == caught.value.trace_id


def test_without_a_trace_id_from_the_server_the_sent_one_is_used(session, double):
    double.sends_trace_id = False
    double.answers["Inference"] = pb.InferenceResponse()
    result = session.infer(np.zeros((1, 1, 1), np.uint8), [1])
    assert result.trace_id == double.traceparents["Inference"].split("-")[1]


def test_the_error_for_a_closed_port_says_so():
    with (
        cuvis_fleet.connect("127.0.0.1:1", timeout_s=10) as client,
        pytest.raises(cuvis_fleet.Unavailable, match=r"no server answers at 127\.0\.0\.1:1;"),
        client.session(),
    ):
        pass


def test_a_call_ends_at_its_deadline(double, address):
    answered = threading.Event()
    double.answers["GetTrainStatus"] = lambda: (answered.wait(120), pb.GetTrainStatusResponse())[1]
    with cuvis_fleet.connect(address, timeout_s=0.5) as client, client.session() as session:
        with pytest.raises(cuvis_fleet.TimedOut):
            session.status()
        answered.set()


def test_a_message_above_the_size_limit_is_rejected(double, address):
    with (
        cuvis_fleet.connect(address, max_message_bytes=1000) as client,
        client.session() as session,
    ):
        with pytest.raises(cuvis_fleet.Exhausted):
            session.infer(np.zeros((10, 10, 10), np.uint16), np.arange(10))
        assert not double.requests("Inference")


def test_a_malformed_response_is_a_server_defect(session, double):
    double.answers["Inference"] = pb.InferenceResponse(
        outputs={"a.b": pb.Tensor(shape=[3], dtype=pb.D_TYPE_FLOAT32, raw_data=b"12345")}
    )
    with pytest.raises(cuvis_fleet.ServerDefect):
        session.infer(np.zeros((1, 1, 1), np.uint8), [1])
