"""Atomic file writes.

The services have a similar module; the client has its own because it does not depend on them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cuvis_fleet.formats.errors import UnwritableFile


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Write a file and its companions under temporary names, then rename them.

    Args:
        target: the file; existing files of its and its companions' names are replaced.

    Yields:
        The temporary path of the file; companions are written beside it. All are renamed at the end
        of the block, the file itself last.

    Raises:
        OSError: the folder is missing or not writable.
    """
    with TemporaryDirectory(dir=target.parent, prefix=".unfinished-") as folder:
        unfinished = Path(folder, target.name)
        yield unfinished
        companions = [path for path in Path(folder).iterdir() if path != unfinished]
        for path in (*companions, unfinished):
            path.replace(target.parent / path.name)


@contextmanager
def atomic_output(target: Path) -> Iterator[Path]:
    """Do the same as `atomic_path` and raise errors about a user's file as `UnwritableFile`.

    Raises:
        UnwritableFile: the disk is full, or the folder is missing or not writable.
    """
    try:
        with atomic_path(target) as unfinished:
            yield unfinished
    except OSError as error:
        # NumPy reports a short write without an errno.
        reason = error.strerror or f"the disk is full ({error})"
        raise UnwritableFile(
            f"{target} cannot be written: {reason}. No partial file remains."
        ) from error
