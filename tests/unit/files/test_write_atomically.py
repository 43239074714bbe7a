"""A file is written completely or not at all."""

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fleet_platform.errors import AppError, DependencyDown, Exhausted
from fleet_platform.files import write_atomically


def test_missing_folders_are_created(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.yaml"
    write_atomically(path, memoryview(b"nodes: []"))
    assert path.read_bytes() == b"nodes: []"


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    write_atomically(path, b"a much longer text")
    write_atomically(path, b"short")
    assert path.read_bytes() == b"short"
    assert list(tmp_path.iterdir()) == [path]


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    contents = [bytes([number]) * 300_000 for number in range(2)]
    write_atomically(path, contents[0])
    done = threading.Event()

    def read() -> int:
        reads = 0
        while not done.is_set() or reads == 0:
            assert path.read_bytes() in contents
            reads += 1
        return reads

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        for number in range(30):
            write_atomically(path, contents[number % 2])
        done.set()
        assert reader.result(120) > 0


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        (errno.ENOSPC, Exhausted, "The output volume is full"),
        (errno.EDQUOT, Exhausted, "The output volume is full"),
        (errno.EROFS, DependencyDown, "The output volume cannot be used"),
        (errno.EACCES, DependencyDown, "The output volume cannot be used"),
        (errno.EIO, DependencyDown, "The output volume cannot be used"),
    ],
)
@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    number: int,
    kind: type[AppError],
    text: str,
) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"old")

    def fail(*_args: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(*((os, "fsync", fail) if where == "fsync" else (Path, "replace", fail)))
    with pytest.raises(kind, match=text) as caught:
        write_atomically(path, b"new")

    assert str(tmp_path) not in caught.value.text
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_defect_is_not_reported_as_a_broken_volume(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "folder", b"new")
