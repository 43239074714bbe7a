"""From one kind of file to another."""

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
    """Write the scenes of a file as another kind of file, by the suffixes of the names.

    Args:
        source: the file that is read.
        target: the file that is written.
        measurement: number of the only cube to write; None: all of them.

    Returns:
        What the target's kind has no place for and was left out: ``wavelengths``, ``mask``.

    Raises:
        UnreadableScene: the source cannot be read.
        UnwritableFile: the target cannot be written, or is the source.
        MissingExtra: the library for a kind is not installed.
    """
    if Path(source).resolve() == Path(target).resolve():
        raise UnwritableFile(f"{target} is the source itself; choose another name.")
    scenes = read_scenes(source) if measurement is None else [read_scene(source, measurement)]
    return write_scenes(scenes, target)
