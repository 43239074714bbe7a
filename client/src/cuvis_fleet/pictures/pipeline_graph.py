"""The graph of a pipeline, as the server draws it."""

from os import PathLike
from pathlib import Path

from cuvis_fleet.formats.atomic_files import atomic_output
from cuvis_fleet.formats.errors import UnwritableFile

_BEGINNINGS = {".png": (b"\x89PNG",), ".svg": (b"<?xml", b"<svg")}


def pipeline_graph(drawn: bytes, path: str | PathLike[str]) -> Path:
    """Write the graph that a server drew, in one step.

    Args:
        drawn: PNG or SVG, as the server sent it.
        path: ends with ``.png`` or ``.svg``, as fits.

    Returns:
        The path.

    Raises:
        UnwritableFile: the name does not fit what was drawn, or there is no room.
    """
    target = Path(path)
    beginnings = _BEGINNINGS.get(target.suffix.lower())
    if beginnings is None or not drawn.startswith(beginnings):
        kind = next((suffix for suffix, each in _BEGINNINGS.items() if drawn.startswith(each)), "")
        known = f"it was drawn as {kind}" if kind else "neither PNG nor SVG was drawn"
        raise UnwritableFile(f"{target} cannot be written: {known}; let the suffix say the same.")
    with atomic_output(target) as unfinished:
        unfinished.write_bytes(drawn)
    return target
