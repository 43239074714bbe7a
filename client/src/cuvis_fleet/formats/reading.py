"""Reads scenes from files."""

from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cuvis_fleet.formats.errors import UnreadableScene
from cuvis_fleet.formats.file_format import StoredArrays
from cuvis_fleet.formats.known_formats import format_of, unknown_format
from cuvis_fleet.formats.scene import Scene


def read_scenes(
    path: str | PathLike[str], *, wavelengths_nm: npt.ArrayLike | None = None
) -> list[Scene]:
    """Read all cubes of a file, whose suffix selects the format.

    Args:
        path: path of the file; for an ENVI image, of its header.
        wavelengths_nm: wavelengths that replace those of the file.

    Raises:
        UnreadableScene: the file is missing, damaged, inconsistent or of an unknown format.
        MissingExtra: the library for the format is not installed.
    """
    file = Path(path)
    file_format = format_of(file)
    if file_format is None:
        raise UnreadableScene(unknown_format(file))
    if not file.is_file():
        raise UnreadableScene(f"{file} does not exist.")
    try:
        stored = file_format.read(file)
        if wavelengths_nm is not None:
            stored = StoredArrays(stored.cubes, np.asarray(wavelengths_nm), stored.masks)
        return stored.scenes(file.stem)
    except ValueError as error:
        raise UnreadableScene(f"{file} cannot be read: {error}.") from error
    except OSError as error:
        raise UnreadableScene(f"{file} cannot be read: {error.strerror or error}.") from error


def read_scene(
    path: str | PathLike[str],
    measurement: int = 0,
    *,
    wavelengths_nm: npt.ArrayLike | None = None,
) -> Scene:
    """Read one cube of a file, whose suffix selects the format.

    Args:
        path: path of the file; for an ENVI image, of its header.
        measurement: index of the cube.
        wavelengths_nm: wavelengths that replace those of the file.

    Raises:
        UnreadableScene: as in `read_scenes`, or the file has fewer cubes.
        MissingExtra: the library for the format is not installed.
    """
    scenes = read_scenes(path, wavelengths_nm=wavelengths_nm)
    if not 0 <= measurement < len(scenes):
        raise UnreadableScene(
            f"{path} has no measurement {measurement}; it has 0 to {len(scenes) - 1}."
        )
    return scenes[measurement]
