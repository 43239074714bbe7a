"""Atomic file writes."""

import os
import uuid
from pathlib import Path

from typing_extensions import Buffer

from fleet_platform.files.volume_errors import volume_answers


def write_atomically(
    path: Path, content: Buffer, *, volume: str = "output", staging: Path | None = None
) -> None:
    """Write `content` to `path` atomically and durably, replacing an existing file.

    Missing folders are created.

    Args:
        path: Path of the file.
        content: Its content.
        volume: Purpose of the volume, for error texts.
        staging: Folder on the same volume for the unfinished file; None: the folder of `path`.

    Raises:
        Exhausted: no space is left on the volume.
        DependencyDown: the volume cannot be written.
    """
    folder = staging or path.parent
    temporary = folder / f".{uuid.uuid4().hex}.tmp"
    with volume_answers(volume):
        _make_folder(folder)
        _make_folder(path.parent)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    missing = []
    while not folder.is_dir() and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        _sync_folder(each.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
