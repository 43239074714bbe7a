"""Converts scenes between file formats."""

from os import PathLike
from pathlib import Path

from cuvis_fleet.formats.errors import UnwritableFile
from cuvis_fleet.formats.reading import read_scene, read_scenes
from cuvis_fleet.formats.writing import write_scenes


def convert(
    source: str | PathLike[str],
    target: str | PathLike[str],
    *,
    measurement: int | None = None,
) -> tuple[str, ...]:
    """Convert the scenes of a file to another format, chosen by suffix.

    Args:
        source: the file to read.
        target: the file to write.
        measurement: index of the only cube to write; None: all cubes.

    Returns:
        The data that the target's format does not support and omits: ``wavelengths``, ``mask``.

    Raises:
        UnreadableScene: the source cannot be read.
        UnwritableFile: the target cannot be written, or is the source.
        MissingExtra: the library for a format is not installed.
    """
    if Path(source).resolve() == Path(target).resolve():
        raise UnwritableFile(f"{target} is the source; choose another name.")
    scenes = read_scenes(source) if measurement is None else [read_scene(source, measurement)]
    return write_scenes(scenes, target)
