"""Reads of shared memory are safe whatever the client declares or does."""

import os
from collections.abc import Iterator
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_inference.inputs import to_tensor
from fleet_inference.shared_memory import SharedMemory
from fleet_inference.wire import SharedRegion, WireTensor
from fleet_platform.errors import InvalidInput
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

CPU = torch.device("cpu")
LIMIT_BYTES = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    segments = tmp_path / "segments"
    segments.mkdir()
    (segments / "psm_1").write_bytes(bytes(range(100)))
    return segments


@pytest.fixture
def shared(folder: Path) -> SharedMemory:
    return SharedMemory(enabled=True, limit_bytes=LIMIT_BYTES, folder=folder)


@pytest.fixture
def segment() -> Iterator[shared_memory.SharedMemory]:
    """A real one, as a Python client makes it."""
    made = shared_memory.SharedMemory(create=True, size=4096)
    yield made
    made.close()
    made.unlink()


def read(shared: SharedMemory, name: str = "psm_1", offset: int = 0, size: int = 100) -> bytes:
    return bytes(shared.read("inputs.cube", SharedRegion(name, offset, size)))


@pytest.mark.parametrize(("offset", "size"), [(0, 100), (10, 5), (100, 0), (0, 0), (99, 1)])
@pytest.mark.parametrize("name", ["psm_1", "/psm_1"])
def test_a_region_is_read(shared: SharedMemory, name: str, offset: int, size: int) -> None:
    assert read(shared, name, offset, size) == bytes(range(100))[offset : offset + size]


def test_a_cube_in_real_shared_memory(segment: shared_memory.SharedMemory) -> None:
    cube = np.random.default_rng(0).integers(0, 4096, (1, 4, 5, 6)).astype(np.uint16)
    segment.buf[8 : 8 + cube.nbytes] = cube.tobytes()
    region = SharedRegion(segment.name, 8, cube.nbytes)
    shared = SharedMemory(enabled=True, limit_bytes=LIMIT_BYTES)
    wire = WireTensor(cube.shape, pb.D_TYPE_UINT16, memoryview(b""), region)
    got = to_tensor("inputs.cube", wire, CPU, shared)
    assert got.dtype == torch.uint16
    np.testing.assert_array_equal(got.numpy(), cube)
    segment.buf[:] = bytes(len(segment.buf))
    np.testing.assert_array_equal(got.numpy(), cube)  # what the client does later is its own affair


def test_a_segment_that_shrank_after_it_was_read_harms_nothing(
    segment: shared_memory.SharedMemory,
) -> None:
    """A mapping would kill the process here, with SIGBUS."""
    segment.buf[:] = b"\7" * len(segment.buf)
    shared = SharedMemory(enabled=True, limit_bytes=LIMIT_BYTES)
    content = read_real(shared, segment)
    os.truncate(f"/dev/shm/{segment.name}", 0)
    assert content == b"\7" * 4096
    with pytest.raises(InvalidInput, match="the segment has 0 bytes"):
        read_real(shared, segment)


def read_real(shared: SharedMemory, segment: shared_memory.SharedMemory) -> memoryview:
    return shared.read("inputs.cube", SharedRegion(segment.name, 0, 4096))


def test_a_segment_that_shrinks_while_it_is_read(
    shared: SharedMemory, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = os.fstat

    def shrink_after_the_look(descriptor: int) -> os.stat_result:
        state = honest(descriptor)
        os.truncate(folder / "psm_1", 30)
        return state

    monkeypatch.setattr(os, "fstat", shrink_after_the_look)
    with pytest.raises(InvalidInput, match="the segment has 30 bytes"):
        read(shared)


@pytest.mark.parametrize(
    ("offset", "size"), [(0, 101), (1, 100), (101, 0), (2**64 - 1, 1), (0, 2**64 - 1)]
)
def test_a_region_beyond_the_end_is_refused(shared: SharedMemory, offset: int, size: int) -> None:
    with pytest.raises(InvalidInput, match=r"^inputs\.cube: .* the segment has 100 bytes"):
        read(shared, offset=offset, size=size)


@pytest.mark.parametrize(
    "name",
    ["", "/", ".", "..", "../secret", "/etc/passwd", "a/b", "//psm_1", "psm\0", "a\nb", "x" * 256],
)
def test_an_invalid_name_is_refused(shared: SharedMemory, folder: Path, name: str) -> None:
    (folder.parent / "secret").write_bytes(bytes(100))
    with pytest.raises(InvalidInput, match=r"^inputs\.cube: shm_ref\.name .* is not the name"):
        read(shared, name)


def test_missing_files_and_files_that_are_not_segments_give_the_same_error(
    shared: SharedMemory, folder: Path
) -> None:
    (folder.parent / "secret").write_bytes(bytes(100))
    (folder / "link").symlink_to(folder.parent / "secret")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "fifo")
    for name in ("absent", "link", "folder", "fifo"):
        with pytest.raises(InvalidInput) as caught:
            read(shared, name)
        assert caught.value.text.startswith(
            f"inputs.cube: there is no shared-memory segment '{name}' that this server can read."
        )


def test_the_off_switch(folder: Path) -> None:
    shared = SharedMemory(enabled=False, limit_bytes=LIMIT_BYTES, folder=folder)
    with pytest.raises(InvalidInput, match=r"^inputs\.cube: .* send the bytes in raw_data"):
        read(shared)


def test_no_descriptor_is_left_open(shared: SharedMemory) -> None:
    before = len([*Path("/proc/self/fd").iterdir()])
    for size in (100, 101):
        for _ in range(20):
            try:
                read(shared, size=size)
            except InvalidInput:
                continue
    assert len([*Path("/proc/self/fd").iterdir()]) == before


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.one_of(st.just("psm_1"), st.text(max_size=300)),
    offset=st.integers(0, 2**64 - 1),
    size=st.integers(0, 2000),
)
def test_whatever_is_sent_is_read_or_refused(
    shared: SharedMemory, name: str, offset: int, size: int
) -> None:
    try:
        content = read(shared, name, offset, size)
    except InvalidInput:
        return
    assert name.removeprefix("/") == "psm_1"
    assert content == bytes(range(100))[offset : offset + size]
    assert len(content) == size
