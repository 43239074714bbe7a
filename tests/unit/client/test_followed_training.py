"""What is asked and told of a training whose streams break, with and without asyncio."""

import asyncio

import grpc
import pytest

import cuvis_fleet
from cuvis_fleet import aio
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.fake_service import SESSION_ID
from tests.unit.client.conftest import QUICK

KEY = "a-key-of-this-program"
CUT = (grpc.StatusCode.UNAVAILABLE, "Socket closed")
ONE, TWO, THREE = (
    pb.TrainResponse(status=pb.TRAIN_STATUS_RUNNING, message=text) for text in ("1", "2", "3")
)
COMPLETE = pb.TrainResponse(status=pb.TRAIN_STATUS_COMPLETE, message="done")
FAILED = pb.TrainResponse(status=pb.TRAIN_STATUS_ERROR, message="out of bounds")


@pytest.fixture(params=["sync", "aio"])
def told(request, address):
    """``told(method, **options)``: the texts that a call tells, and the error that ended it."""

    def synchronous(method, **options):
        texts = []
        with cuvis_fleet.connect(address, retries=QUICK) as client, client.session() as session:
            try:
                for each in getattr(session, method)(**options):
                    texts.append(each.message)  # noqa: PERF401 - what came before the error counts
            except cuvis_fleet.CuvisFleetError as error:
                return texts, error
        return texts, None

    async def asynchronous(method, **options):
        texts = []
        async with aio.connect(address, retries=QUICK) as client, client.session() as session:
            try:
                async for each in getattr(session, method)(**options):
                    texts.append(each.message)  # noqa: PERF401 - as above
            except cuvis_fleet.CuvisFleetError as error:
                return texts, error
        return texts, None

    if request.param == "sync":
        return synchronous
    return lambda method, **options: asyncio.run(asynchronous(method, **options))


@pytest.fixture
def streams(double):
    """``streams(...)``: what the calls of Train are answered, one after the other."""
    double.sends_trace_id = False

    def answer(*answers):
        left = list(answers)
        double.answers["Train"] = lambda: left.pop(0)

    return answer


def names(double):
    """What each call of Train named its training, and whether it was to begin none."""
    return [
        (sent.get("x-fleet-training-key"), "x-fleet-training-begun" in sent)
        for sent in double.metadata["Train"]
    ]


def test_each_message_is_told_once_though_the_training_ended_meanwhile(double, streams, told):
    streams([ONE, TWO, TWO, CUT], [ONE, TWO, CUT], [ONE, TWO, TWO, THREE, TWO, COMPLETE])

    assert told("train") == (["1", "2", "2", "3", "2", "done"], None)

    (key, first), *later = names(double)
    assert not first
    assert later == [(key, True)] * 2
    assert double.requests("GetTrainStatus") == []


def test_a_training_that_has_told_nothing_is_begun_again_under_its_key(double, streams, told):
    streams([CUT], [CUT], [ONE, COMPLETE])

    assert told("train", key=KEY) == (["1", "done"], None)

    assert names(double) == [(KEY, False)] * 3


def test_each_training_has_a_key_of_its_own(double, streams, told):
    streams([COMPLETE], [COMPLETE])
    told("train")
    told("train")

    (first, _), (second, _) = names(double)
    assert first != second


def test_a_training_that_ran_already_is_followed_by_the_name_that_it_has(double, streams, told):
    double.headers = (("x-fleet-training-key", "a-key-of-another-one"),)
    streams([ONE, CUT], [ONE, COMPLETE])

    assert told("train", key=KEY) == (["1", "done"], None)

    assert names(double) == [(KEY, False), ("a-key-of-another-one", True)]


def test_a_connection_that_breaks_behind_the_end_is_not_made_again(double, streams, told):
    streams([ONE, COMPLETE, CUT])

    assert told("train") == (["1", "done"], None)

    assert len(double.requests("Train")) == 1


def test_the_status_of_a_failed_training_is_fetched_where_it_was_cut_off(double, streams, told):
    streams([ONE, FAILED, CUT], [ONE, FAILED, (grpc.StatusCode.INVALID_ARGUMENT, FAILED.message)])

    texts, error = told("train")

    assert texts == ["1", "out of bounds"]
    assert isinstance(error, cuvis_fleet.InvalidInput)
    assert error.text == "out of bounds"


def test_a_training_that_failed_as_a_connection_does_is_not_asked_for_again(double, streams, told):
    long = pb.TrainResponse(status=pb.TRAIN_STATUS_ERROR, message="killed " * 500)
    cut_text = long.message[:2048] + " ..."
    streams([long, (grpc.StatusCode.UNAVAILABLE, cut_text)])

    _, error = told("train")

    assert isinstance(error, cuvis_fleet.Unavailable)
    assert len(double.requests("Train")) == 1


def test_what_is_followed_is_never_begun(double, streams, told):
    streams([CUT], [ONE, COMPLETE], [COMPLETE])

    assert told("follow") == (["1", "done"], None)
    assert told("follow", key=KEY) == (["done"], None)

    assert names(double) == [(None, True), (None, True), (KEY, True)]
    assert double.requests("Train")[0] == pb.TrainRequest(session_id=SESSION_ID)


def test_a_training_that_the_server_has_forgotten_is_told_as_not_found(double, streams, told):
    streams([ONE, CUT], (grpc.StatusCode.NOT_FOUND, "not known any more"))

    texts, error = told("train")

    assert texts == ["1"]
    assert isinstance(error, cuvis_fleet.NotFound)


@pytest.mark.parametrize("key", ["", "short", "with a space in it"])
def test_what_is_no_key_is_refused_here(double, session, key):
    with pytest.raises(ValueError, match="16 to 64 letters"):
        next(session.train(key=key))
    with pytest.raises(ValueError, match="16 to 64 letters"):
        next(session.follow(key=key))
    assert double.requests("Train") == []
