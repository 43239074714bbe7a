"""Large arrays reach a server on this host through shared memory, and nothing is left there."""

import asyncio
import os
import threading
from pathlib import Path

import grpc
import numpy as np
import pytest

import cuvis_fleet
from cuvis_fleet import aio
from cuvis_fleet.inference.request import InferenceRequest
from cuvis_fleet.inference.shared_memory import SharedMemory
from cuvis_fleet.transport.local_address import is_local
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.fake_service import SESSION_ID
from tests.support.file_size_limit import no_room_for
from tests.unit.client.conftest import QUICK

SEGMENTS = Path("/dev/shm")
CUBE = np.arange(512 * 512 * 4, dtype=np.uint16).reshape(512, 512, 4)
WAVELENGTHS_NM = [450, 550, 650, 750]
GOOD = pb.InferenceResponse()


def left_behind():
    return list(SEGMENTS.glob(f"cuvis-fleet-{os.getpid()}-*"))


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    assert left_behind() == []


def infer(client):
    return client.attach(SESSION_ID).infer(CUBE, WAVELENGTHS_NM)


def infer_twice(client):
    """Two inferences of one client, one after the other."""
    session = client.attach(SESSION_ID)
    first = session.infer(CUBE, WAVELENGTHS_NM)
    if not asyncio.iscoroutine(first):
        return session.infer(CUBE, WAVELENGTHS_NM)

    async def awaited():
        await first
        return await session.infer(CUBE, WAVELENGTHS_NM)

    return awaited()


@pytest.fixture
def answer(double):
    """``answer(...)``: how inferences are answered in turn; returns what came for each cube."""
    came = []

    def answering(*answers):
        left = list(answers)

        def next_answer():
            came.append(content(double.requests("Inference")[-1].inputs.cube))
            return left.pop(0)

        double.answers["Inference"] = next_answer
        return came

    return answering


def content(tensor):
    """How the elements came, and they."""
    if tensor.HasField("shm_ref"):
        place = tensor.shm_ref
        segment = (SEGMENTS / place.name).read_bytes()
        return "placed", segment[place.byte_offset :][: place.byte_size] == CUBE.tobytes()
    return "sent", tensor.raw_data == CUBE.tobytes()


PLACED, SENT = ("placed", True), ("sent", True)
NOT_FOUND_THERE = (grpc.StatusCode.INVALID_ARGUMENT, "cube: the shared-memory segment is missing")


def test_a_server_that_finds_them_gets_all_there(using, address, answer):
    came = answer(GOOD, GOOD)
    using(address, infer_twice)
    assert came == [PLACED, PLACED]


def test_a_server_that_does_not_is_sent_them_and_no_more_are_placed(using, address, answer):
    came = answer(NOT_FOUND_THERE, GOOD, GOOD)
    using(address, infer_twice)
    assert came == [PLACED, SENT, SENT]


def test_a_server_that_knows_nothing_of_it_is_sent_them(using, address, answer):
    came = answer((grpc.StatusCode.INTERNAL, "cannot reshape array of size 0"), GOOD, GOOD)
    using(address, infer_twice)
    assert came == [PLACED, SENT, SENT]


def test_a_request_that_is_wrong_either_way_is_told_and_later_ones_are_placed(
    using, address, answer
):
    wrong = (grpc.StatusCode.INVALID_ARGUMENT, "no port is called so")
    came = answer(wrong, wrong)
    with pytest.raises(cuvis_fleet.InvalidInput, match="no port is called so"):
        using(address, infer)
    assert came == [PLACED, SENT]


def test_a_failure_of_another_kind_is_told_without_sending_again(using, address, answer):
    came = answer((grpc.StatusCode.NOT_FOUND, "no such session"))
    with pytest.raises(cuvis_fleet.NotFound):
        using(address, infer)
    assert came == [PLACED]


def test_once_found_an_input_that_is_refused_is_told_at_once(using, address, answer):
    came = answer(GOOD, (grpc.StatusCode.INVALID_ARGUMENT, "the cube has 3 bands too many"))
    with pytest.raises(cuvis_fleet.InvalidInput, match="bands too many"):
        using(address, infer_twice)
    assert came == [PLACED, PLACED]


def test_a_call_that_is_repeated_finds_them_each_time(using, address, answer):
    came = answer((grpc.StatusCode.UNAVAILABLE, "Socket closed"), GOOD)
    using(address, infer, retries=QUICK)
    assert came == [PLACED, PLACED]


@pytest.fixture
def held(double):
    """Inferences are not answered before the test has ended."""
    ended = threading.Event()
    double.answers["Inference"] = lambda: (ended.wait(30), GOOD)[1]
    yield
    ended.set()


@pytest.mark.usefixtures("held")
def test_a_call_that_takes_too_long_leaves_nothing(using, address):
    with pytest.raises(cuvis_fleet.TimedOut):
        using(address, infer, timeout_s=0.3)


@pytest.mark.usefixtures("held")
def test_a_call_that_is_cancelled_leaves_nothing(double, address):
    async def cancelled():
        async with aio.connect(address) as client:
            running = asyncio.create_task(infer(client))
            while not double.requests("Inference"):
                await asyncio.sleep(0.01)
            assert len(left_behind()) == 1
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        assert left_behind() == []

    asyncio.run(cancelled())


def test_where_there_is_no_room_they_are_sent(using, address, answer):
    came = answer(GOOD)
    with no_room_for([os.getpid()], size_bytes=1024**2):
        using(address, infer)
    assert came == [SENT]


def test_small_ones_are_sent(using, address, answer):
    came = answer(GOOD)
    small = CUBE[:4, :4]
    using(address, lambda client: client.attach(SESSION_ID).infer(small, WAVELENGTHS_NM))
    assert [how for how, _ in came] == ["sent"]


@pytest.mark.parametrize(
    ("server", "folder"),
    [("fleet.example:50051", "."), ("10.0.0.7:50051", "."), ("localhost:50051", "missing")],
    ids=["another-host", "another-address", "no-shared-memory"],
)
def test_where_it_cannot_serve_nothing_is_placed(tmp_path, server, folder):
    request = InferenceRequest.of(CUBE, WAVELENGTHS_NM)
    assert SharedMemory(server, tmp_path / folder).worth_placing(request) == []


@pytest.mark.parametrize(
    ("server", "here"),
    [
        ("localhost:50051", True),
        ("127.0.0.1:50051", True),
        ("127.1.2.3:50051", True),
        ("[::1]:50051", True),
        ("dns:///localhost:50051", True),
        ("ipv4:127.0.0.1:50051", True),
        ("ipv6:[::1]:50051", True),
        ("unix:/run/fleet.sock", True),
        ("unix-abstract:fleet", True),
        ("fleet.example:50051", False),
        ("localhost.example:50051", False),
        ("192.168.0.1:50051", False),
        ("ipv4:192.168.0.1:50051", False),
        ("0.0.0.0:50051", False),
    ],
)
def test_which_servers_are_on_this_host(server, here):
    assert is_local(server) is here
