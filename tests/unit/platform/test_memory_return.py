"""Memory that is free for a while returns to the system; memory in use stays."""

import os
import subprocess
import sys

import pytest

from fleet_platform.memory import MemoryReturn

MIB = 1024**2
LOOKS = 5


class FakeHeap:
    """A process with 100 MiB outside its heap."""

    def __init__(self) -> None:
        self.free = self.kept = 0
        self.trims = 0

    def free_bytes(self) -> int:
        return self.free

    def resident_bytes(self) -> int:
        return 100 * MIB + self.kept

    def trim(self) -> None:
        self.trims += 1
        self.kept = 0


@pytest.fixture
def heap() -> FakeHeap:
    return FakeHeap()


@pytest.fixture
def returning(heap: FakeHeap) -> MemoryReturn:
    return MemoryReturn(30.0, heap)  # type: ignore[arg-type]


def test_idle_memory_is_returned_once(heap: FakeHeap, returning: MemoryReturn) -> None:
    heap.free = heap.kept = 64 * MIB
    for _ in range(LOOKS - 1):
        returning.poll()
    assert heap.trims == 0
    # malloc still counts it as free.
    for _ in range(4 * LOOKS):
        returning.poll()
    assert heap.trims == 1


def test_memory_is_returned_each_time_it_has_become_idle(
    heap: FakeHeap, returning: MemoryReturn
) -> None:
    for _ in range(3):
        heap.free = heap.kept = 64 * MIB
        for _ in range(LOOKS):
            returning.poll()
    assert heap.trims == 3


def test_memory_that_is_used_meanwhile_stays(heap: FakeHeap, returning: MemoryReturn) -> None:
    for number in range(4 * LOOKS):
        heap.kept = 64 * MIB
        heap.free = 0 if number % LOOKS == 0 else 64 * MIB
        returning.poll()
    assert heap.trims == 0


def test_small_amounts_stay(heap: FakeHeap, returning: MemoryReturn) -> None:
    heap.free = heap.kept = 4 * MIB
    for _ in range(4 * LOOKS):
        returning.poll()
    assert heap.trims == 0


@pytest.mark.skipif(sys.platform != "linux", reason="malloc is glibc's only on Linux")
def test_a_process_becomes_small_again() -> None:
    program = """
import time
from fleet_platform.memory import Heap, start_memory_return
blocks = [bytes(100_000) for _ in range(2000)]
last = bytes(100_000)
del blocks
large = Heap().resident_bytes()
assert start_memory_return(0.2) is not None
deadline = time.monotonic() + 30
while Heap().resident_bytes() > large - 100_000_000:
    assert time.monotonic() < deadline, (large, Heap().resident_bytes())
    time.sleep(0.05)
"""
    malloc = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "4000000000"}
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, **malloc})
