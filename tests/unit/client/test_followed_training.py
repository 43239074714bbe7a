"""Training runs whose streams break, with and without asyncio."""

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
def messages_of(request, address):
    """``messages_of(method, **options)``: the messages of a call, and the error that ended it."""

    def synchronous(method, **options):
        texts = []
        with cuvis_fleet.connect(address, retries=QUICK) as client, client.session() as session:
            try:
                for each in getattr(session, method)(**options):
                    texts.append(each.message)  # noqa: PERF401 - keeps the messages before an error
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
    """``streams(...)``: the answers to the calls of Train, in order."""
    double.sends_trace_id = False

    def answer(*answers):
        left = list(answers)
        double.answers["Train"] = lambda: left.pop(0)

    return answer


def names(double):
    """The key that each call of Train sent, and whether it asked only to follow."""
    return [
        (sent.get("x-fleet-training-key"), "x-fleet-training-begun" in sent)
        for sent in double.metadata["Train"]
    ]


def test_each_message_is_yielded_once_even_if_the_training_has_ended(double, streams, messages_of):
    streams([ONE, TWO, TWO, CUT], [ONE, TWO, CUT], [ONE, TWO, TWO, THREE, TWO, COMPLETE])

    assert messages_of("train") == (["1", "2", "2", "3", "2", "done"], None)

    (key, first), *later = names(double)
    assert not first
    assert later == [(key, True)] * 2
    assert double.requests("GetTrainStatus") == []


def test_a_training_without_messages_is_requested_again_with_its_key(double, streams, messages_of):
    streams([CUT], [CUT], [ONE, COMPLETE])

    assert messages_of("train", key=KEY) == (["1", "done"], None)

    assert names(double) == [(KEY, False)] * 3


def test_each_training_has_a_separate_key(double, streams, messages_of):
    streams([COMPLETE], [COMPLETE])
    messages_of("train")
    messages_of("train")

    (first, _), (second, _) = names(double)
    assert first != second


def test_a_training_that_was_running_is_followed_by_its_own_key(double, streams, messages_of):
    double.headers = (("x-fleet-training-key", "a-key-of-another-one"),)
    streams([ONE, CUT], [ONE, COMPLETE])

    assert messages_of("train", key=KEY) == (["1", "done"], None)

    assert names(double) == [(KEY, False), ("a-key-of-another-one", True)]


def test_a_connection_that_breaks_after_the_end_is_not_repeated(double, streams, messages_of):
    streams([ONE, COMPLETE, CUT])

    assert messages_of("train") == (["1", "done"], None)

    assert len(double.requests("Train")) == 1


def test_a_lost_status_of_a_failed_training_is_fetched(double, streams, messages_of):
    streams([ONE, FAILED, CUT], [ONE, FAILED, (grpc.StatusCode.INVALID_ARGUMENT, FAILED.message)])

    texts, error = messages_of("train")

    assert texts == ["1", "out of bounds"]
    assert isinstance(error, cuvis_fleet.InvalidInput)
    assert error.text == "out of bounds"


def test_a_training_that_failed_like_a_connection_is_final(double, streams, messages_of):
    long = pb.TrainResponse(status=pb.TRAIN_STATUS_ERROR, message="killed " * 500)
    cut_text = long.message[:2048] + " ..."
    streams([long, (grpc.StatusCode.UNAVAILABLE, cut_text)])

    _, error = messages_of("train")

    assert isinstance(error, cuvis_fleet.Unavailable)
    assert len(double.requests("Train")) == 1


def test_follow_never_starts_a_training(double, streams, messages_of):
    streams([CUT], [ONE, COMPLETE], [COMPLETE])

    assert messages_of("follow") == (["1", "done"], None)
    assert messages_of("follow", key=KEY) == (["done"], None)

    assert names(double) == [(None, True), (None, True), (KEY, True)]
    assert double.requests("Train")[0] == pb.TrainRequest(session_id=SESSION_ID)


def test_an_expired_training_is_not_found(double, streams, messages_of):
    streams([ONE, CUT], (grpc.StatusCode.NOT_FOUND, "not known any more"))

    texts, error = messages_of("train")

    assert texts == ["1"]
    assert isinstance(error, cuvis_fleet.NotFound)


@pytest.mark.parametrize("key", ["", "short", "with a space in it"])
def test_a_malformed_key_is_rejected_by_the_client(double, session, key):
    with pytest.raises(ValueError, match="16 to 64 letters"):
        next(session.train(key=key))
    with pytest.raises(ValueError, match="16 to 64 letters"):
        next(session.follow(key=key))
    assert double.requests("Train") == []
