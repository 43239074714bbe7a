"""Pictures of pipeline graphs, drawn by the server."""

from os import PathLike
from pathlib import Path

from cuvis_fleet.formats.atomic_files import atomic_output
from cuvis_fleet.formats.errors import UnwritableFile

_SIGNATURES = {".png": (b"\x89PNG",), ".svg": (b"<?xml", b"<svg")}


def pipeline_graph(drawn: bytes, path: str | PathLike[str]) -> Path:
    """Write a graph that a server drew; atomic.

    Args:
        drawn: PNG or SVG from the server.
        path: path that ends with ``.png`` or ``.svg`` accordingly.

    Returns:
        The path.

    Raises:
        UnwritableFile: the suffix does not match the format of the graph, or the disk is full.
    """
    target = Path(path)
    signatures = _SIGNATURES.get(target.suffix.lower())
    if signatures is None or not drawn.startswith(signatures):
        kind = next((suffix for suffix, each in _SIGNATURES.items() if drawn.startswith(each)), "")
        actual = f"the graph is a {kind} file" if kind else "the graph is neither PNG nor SVG"
        raise UnwritableFile(
            f"{target} cannot be written: {actual}; change the suffix accordingly."
        )
    with atomic_output(target) as unfinished:
        unfinished.write_bytes(drawn)
    return target
