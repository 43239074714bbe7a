"""Volumes of a test's own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_volume(folder: Path, size_kib: int) -> Iterator[Path]:
    """A volume of so many KiB, mounted at `folder`.

    The test is skipped where nothing may be mounted.
    """
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", folder],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"no volume can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def full_volume(folder: Path) -> Iterator[Path]:
    """A volume mounted at `folder` that takes not one byte more; skips as `small_volume`."""
    with small_volume(folder, size_kib=64) as volume:
        with pytest.raises(OSError, match="No space left"):
            (volume / "filler").write_bytes(b"\0" * 1_000_000)
        yield volume
