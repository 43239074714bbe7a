"""Writes figures to files."""

from os import PathLike
from pathlib import Path

from matplotlib.figure import Figure

from cuvis_fleet.formats.atomic_files import atomic_output
from cuvis_fleet.formats.errors import UnwritableFile

_SUFFIXES = (".png", ".svg", ".pdf")
_DOTS_PER_INCH = 150


def save(figure: Figure, path: str | PathLike[str]) -> Path:
    """Write a figure atomically and reproducibly, without a date in the file.

    Args:
        figure: the figure.
        path: path that ends with ``.png``, ``.svg`` or ``.pdf``.

    Returns:
        The path.

    Raises:
        UnwritableFile: the format is unknown, the folder does not exist, or the disk is full.
    """
    target = check_path(path)
    undated = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with atomic_output(target) as unfinished:
        figure.savefig(unfinished, dpi=_DOTS_PER_INCH, metadata=undated[target.suffix.lower()])
    return target


def check_path(path: str | PathLike[str]) -> Path:
    """Check the path that will be given to `save`.

    Raises:
        UnwritableFile: the format is unknown, or the folder does not exist.
    """
    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise UnwritableFile(
            f"{target} cannot be drawn: pictures are {', '.join(_SUFFIXES)}, not "
            f"{target.suffix or 'without suffix'}."
        )
    if not target.parent.is_dir():
        raise UnwritableFile(
            f"{target} cannot be drawn: the folder {target.parent} does not exist; create it first."
        )
    return target
