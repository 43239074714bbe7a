"""Archives of folders; equal files yield equal bytes."""

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from fleet_platform.errors import Exhausted, InvalidInput

MAX_FILES = 2000
MAX_SIZE_BYTES = 64 * 1024**2
_MAX_ENTRIES = 20_000
_EXCLUDED_FOLDERS = frozenset({"__pycache__", "node_modules", "build", "dist"})
_EXCLUDED_SUFFIXES = (".pyc", ".pyo")


def pack_folder(folder: Path) -> bytes:
    """Archive the files below a folder, sorted by name and without timestamps.

    Hidden files and folders, compiled Python files and built distributions are excluded. Symbolic
    links are replaced by their targets.

    Raises:
        InvalidInput: a link points out of the folder, or a file cannot be read.
        Exhausted: more than 2000 files or 64 MiB.
    """
    root = Path(os.path.realpath(folder))
    packed = io.BytesIO()
    count = size_bytes = 0
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file in _files(root):
            name = file.relative_to(root).as_posix()
            count += 1
            size_bytes += _size_bytes(file, root, name)
            if count > MAX_FILES or size_bytes > MAX_SIZE_BYTES:
                raise Exhausted(
                    f"The folder has more than {MAX_FILES} files or {MAX_SIZE_BYTES // 1024**2} "
                    "MiB; remove data and weights from it."
                )
            content = _content(file, name)
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def unpack_folder(content: bytes, folder: Path) -> None:
    """Extract an archive made by `pack_folder` to an existing folder; write nothing outside it."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        archive.extractall(folder, filter="data")


def _files(root: Path) -> Iterator[Path]:
    seen = 0
    for parent, folders, files in os.walk(root):
        folders[:] = sorted(
            name for name in folders if name[0] != "." and name not in _EXCLUDED_FOLDERS
        )
        seen += len(folders) + len(files)
        if seen > _MAX_ENTRIES:
            raise Exhausted(f"The folder has more than {_MAX_ENTRIES} entries.")
        for name in sorted(files):
            if name[0] != "." and not name.endswith(_EXCLUDED_SUFFIXES):
                yield Path(parent, name)


def _size_bytes(file: Path, root: Path, name: str) -> int:
    real = Path(os.path.realpath(file))
    if not real.is_relative_to(root):
        raise InvalidInput(f"'{name}' is a link that points out of the folder.")
    if not real.is_file():
        raise InvalidInput(f"'{name}' is not a regular file.")
    return real.stat().st_size


def _content(file: Path, name: str) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_SIZE_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"'{name}' cannot be read.") from error
