"""Large arrays reach a server on this host through shared memory, which is cleaned up."""

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
    """Run two inferences of one client in sequence."""
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
    """``answer(...)``: sets the answers to inferences, in order; returns the received cubes."""
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
    """How the elements were sent, and the elements."""
    if tensor.HasField("shm_ref"):
        place = tensor.shm_ref
        segment = (SEGMENTS / place.name).read_bytes()
        return "placed", segment[place.byte_offset :][: place.byte_size] == CUBE.tobytes()
    return "sent", tensor.raw_data == CUBE.tobytes()


PLACED, SENT = ("placed", True), ("sent", True)
NOT_FOUND_THERE = (grpc.StatusCode.INVALID_ARGUMENT, "cube: the shared-memory segment is missing")


def test_a_server_that_reads_segments_gets_arrays_through_them(using, address, answer):
    came = answer(GOOD, GOOD)
    using(address, infer_twice)
    assert came == [PLACED, PLACED]


def test_a_server_that_cannot_read_segments_disables_them(using, address, answer):
    came = answer(NOT_FOUND_THERE, GOOD, GOOD)
    using(address, infer_twice)
    assert came == [PLACED, SENT, SENT]


def test_a_server_without_shared_memory_is_sent_the_arrays(using, address, answer):
    came = answer((grpc.StatusCode.INTERNAL, "cannot reshape array of size 0"), GOOD, GOOD)
    using(address, infer_twice)
    assert came == [PLACED, SENT, SENT]


def test_a_request_that_is_invalid_either_way_does_not_disable_segments(using, address, answer):
    wrong = (grpc.StatusCode.INVALID_ARGUMENT, "no port is called so")
    came = answer(wrong, wrong)
    with pytest.raises(cuvis_fleet.InvalidInput, match="no port is called so"):
        using(address, infer)
    assert came == [PLACED, SENT]


def test_other_failures_are_raised_without_sending_again(using, address, answer):
    came = answer((grpc.StatusCode.NOT_FOUND, "no such session"))
    with pytest.raises(cuvis_fleet.NotFound):
        using(address, infer)
    assert came == [PLACED]


def test_after_a_confirmed_segment_a_rejected_input_fails_immediately(using, address, answer):
    came = answer(GOOD, (grpc.StatusCode.INVALID_ARGUMENT, "the cube has 3 bands too many"))
    with pytest.raises(cuvis_fleet.InvalidInput, match="bands too many"):
        using(address, infer_twice)
    assert came == [PLACED, PLACED]


def test_a_repeated_call_finds_its_segment_each_time(using, address, answer):
    came = answer((grpc.StatusCode.UNAVAILABLE, "Socket closed"), GOOD)
    using(address, infer, retries=QUICK)
    assert came == [PLACED, PLACED]


@pytest.fixture
def held(double):
    """Inferences are not answered before the test ends."""
    ended = threading.Event()
    double.answers["Inference"] = lambda: (ended.wait(120), GOOD)[1]
    yield
    ended.set()


@pytest.mark.usefixtures("held")
def test_a_call_that_times_out_leaves_no_segment(using, address):
    with pytest.raises(cuvis_fleet.TimedOut):
        using(address, infer, timeout_s=0.3)


@pytest.mark.usefixtures("held")
def test_a_cancelled_call_leaves_no_segment(double, address):
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


def test_without_space_for_a_segment_arrays_are_sent(using, address, answer):
    came = answer(GOOD)
    with no_room_for([os.getpid()], size_bytes=1024**2):
        using(address, infer)
    assert came == [SENT]


def test_small_arrays_are_sent(using, address, answer):
    came = answer(GOOD)
    small = CUBE[:4, :4]
    using(address, lambda client: client.attach(SESSION_ID).infer(small, WAVELENGTHS_NM))
    assert [how for how, _ in came] == ["sent"]


@pytest.mark.parametrize(
    ("server", "folder"),
    [("fleet.example:50051", "."), ("10.0.0.7:50051", "."), ("localhost:50051", "missing")],
    ids=["another-host", "another-address", "no-shared-memory"],
)
def test_no_segments_for_remote_servers_or_missing_folders(tmp_path, server, folder):
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
def test_local_addresses_are_recognised(server, here):
    assert is_local(server) is here
