"""Temporary files are removed with their process, even if it is killed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROCESS = """
from fleet_engine.scratch_folder import scratch_folder
(scratch_folder() / "file").touch()
print(scratch_folder(), flush=True)
input()
"""
DEADLINE_S = 300.0

Start = Callable[[], tuple["subprocess.Popen[str]", Path]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process with its directory below `tmp_path`."""
    started = []

    def one() -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
        started.append(process)
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    yield one
    for process in started:
        process.kill()
        process.communicate(timeout=DEADLINE_S)


def test_it_is_removed_with_its_process(start: Start, tmp_path: Path) -> None:
    process, folder = start()
    assert (folder / "file").exists()
    process.communicate("\n", timeout=DEADLINE_S)
    assert list(tmp_path.iterdir()) == []


def test_the_directory_of_a_killed_process_is_removed_at_the_next_start(
    start: Start, tmp_path: Path
) -> None:
    killed, left = start()
    _, living = start()
    killed.kill()
    killed.wait(DEADLINE_S)
    assert (left / "file").exists()
    _, own = start()
    assert set(tmp_path.iterdir()) == {living, own}
    assert (living / "file").exists()


def test_similar_directories_are_not_touched(start: Start, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    link = tmp_path / "fleet_scratch_link"
    link.symlink_to(elsewhere)
    start()
    assert (elsewhere / "lock").exists()
