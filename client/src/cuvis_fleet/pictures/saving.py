"""Writing figures to files."""

from os import PathLike
from pathlib import Path

from matplotlib.figure import Figure

from cuvis_fleet.formats.atomic_files import atomic_output
from cuvis_fleet.formats.errors import UnwritableFile

_KNOWN = (".png", ".svg", ".pdf")
_DOTS_PER_INCH = 150


def save(figure: Figure, path: str | PathLike[str]) -> Path:
    """Write a figure in one step, without the time in it: the same figure is the same file.

    Args:
        figure: what to write.
        path: ends with ``.png``, ``.svg`` or ``.pdf``.

    Returns:
        The path.

    Raises:
        UnwritableFile: another kind of file, no such folder, or there is no room.
    """
    target = check_path(path)
    undated = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with atomic_output(target) as unfinished:
        figure.savefig(unfinished, dpi=_DOTS_PER_INCH, metadata=undated[target.suffix.lower()])
    return target


def check_path(path: str | PathLike[str]) -> Path:
    """Refuse what `save` would, before the work that the picture is of.

    Raises:
        UnwritableFile: another kind of file, or there is no such folder.
    """
    target = Path(path)
    if target.suffix.lower() not in _KNOWN:
        raise UnwritableFile(
            f"{target} cannot be drawn: pictures are {', '.join(_KNOWN)}, not "
            f"{target.suffix or 'without suffix'}."
        )
    if not target.parent.is_dir():
        raise UnwritableFile(
            f"{target} cannot be drawn: there is no folder {target.parent}; make it first."
        )
    return target
