"""Writing a file so that it is there whole or not at all."""

import os
import uuid
from pathlib import Path

from typing_extensions import Buffer

from fleet_platform.files.volume_errors import volume_answers


def write_atomically(
    path: Path, content: Buffer, *, volume: str = "output", staging: Path | None = None
) -> None:
    """Write `content` under `path`, over what is there; it survives a crash right after.

    Missing folders are made.

    Args:
        path: The file's final name.
        content: Its bytes.
        volume: What the volume is for, for error texts.
        staging: Folder on the same volume for the unfinished file; None: beside the final name.

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
