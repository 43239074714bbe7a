"""Large arrays are processed in a thread, which is cleaned up after cancellation."""

import asyncio
import os
import threading
from pathlib import Path

import numpy as np
import pytest

import cuvis_fleet
from cuvis_fleet import aio
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.fake_service import SESSION_ID

LARGE, SMALL = (512, 512, 4), (2, 2, 4)
WAVELENGTHS_NM = [450, 550, 650, 750]


class Watched:
    """A cube that records the thread that reads it, and can block that thread."""

    def __init__(self, shape):
        self.values = np.zeros(shape, np.uint16)
        self.nbytes = self.values.nbytes
        self.read_by = None
        self.may_continue = threading.Event()
        self.may_continue.set()

    def __array__(self, dtype=None, copy=None):
        self.read_by = threading.current_thread()
        assert self.may_continue.wait(120)
        return self.values


async def read(cube):
    """Wait until a thread has started to read the cube."""
    while cube.read_by is None:
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(("shape", "in_thread"), [(LARGE, True), (SMALL, False)])
def test_large_arrays_are_read_in_a_thread_and_small_ones_directly(
    double, address, shape, in_thread
):
    double.answers["Inference"] = pb.InferenceResponse(metrics={"a.b": 1.5})
    cube = Watched(shape)

    async def infer():
        async with aio.connect(address) as client:
            return await client.attach(SESSION_ID).infer(cube, WAVELENGTHS_NM)

    assert asyncio.run(infer()).metrics == {"a.b": 1.5}
    assert (cube.read_by is not threading.main_thread()) is in_thread


def test_errors_found_in_the_thread_are_raised(double, address):
    async def infer():
        async with aio.connect(address) as client:
            await client.attach(SESSION_ID).infer(Watched(LARGE), [450])

    with pytest.raises(cuvis_fleet.WrongArgument, match="1 wavelengths do not fit"):
        asyncio.run(infer())
    assert not double.received


@pytest.mark.parametrize("times", [1, 2])
def test_cancelling_while_the_thread_runs_sends_and_leaves_nothing(double, address, times):
    cube = Watched(LARGE)
    cube.may_continue.clear()

    async def cancelled():
        async with aio.connect(address) as client:
            running = asyncio.create_task(client.attach(SESSION_ID).infer(cube, WAVELENGTHS_NM))
            await read(cube)
            for _ in range(times):
                running.cancel()
                await asyncio.sleep(0.01)
            cube.may_continue.set()
            with pytest.raises(asyncio.CancelledError):
                await running

    asyncio.run(cancelled())
    assert not double.received
    assert list(Path("/dev/shm").glob(f"cuvis-fleet-{os.getpid()}-*")) == []
