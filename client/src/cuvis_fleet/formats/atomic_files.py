"""Files that are there as a whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cuvis_fleet.formats.errors import UnwritableFile


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Write a file, and those that belong to it, under other names until all are whole.

    Args:
        target: the file; it and its companions take the place of what had their names.

    Yields:
        Where to write the file inside the block; companions beside it. They come to where they
        belong at the end of the block, the file itself last.

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
    """The same as `atomic_path`, for files that a user named.

    Raises:
        UnwritableFile: there is no room, or the folder is missing or not writable.
    """
    try:
        with atomic_path(target) as unfinished:
            yield unfinished
    except OSError as error:
        # NumPy says how many values found room, and not why the others did not.
        why = error.strerror or f"no room is left ({error})"
        raise UnwritableFile(
            f"{target} cannot be written: {why}. Nothing was left behind."
        ) from error
