"""Writes scenes to files."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from cuvis_fleet.formats.atomic_files import atomic_output
from cuvis_fleet.formats.errors import UnwritableFile
from cuvis_fleet.formats.known_formats import format_of, unknown_format
from cuvis_fleet.formats.scene import Scene


def write_scene(scene: Scene, path: str | PathLike[str]) -> tuple[str, ...]:
    """Write a scene in a format that servers read, selected by the suffix.

    Returns:
        The data that the format does not support and omits: ``wavelengths``, ``mask``.

    Raises:
        UnwritableFile: the format is unknown or does not support the cube, or the disk is full; an
            existing file remains unchanged.
        MissingExtra: the library for the format is not installed.
    """
    return write_scenes([scene], path)


def write_scenes(scenes: Sequence[Scene], path: str | PathLike[str]) -> tuple[str, ...]:
    """Write scenes of one size into a file; see `write_scene`.

    Raises:
        UnwritableFile: as in `write_scene`; or the format holds only one scene; or the scenes
            differ in size, type, wavelengths, or in having a mask.
        MissingExtra: the library for the format is not installed.
    """
    target = Path(path)
    file_format = format_of(target)
    if file_format is None:
        raise UnwritableFile(unknown_format(target))
    if len(scenes) != 1 and not file_format.holds_many:
        raise UnwritableFile(
            f"{target} cannot be written: an {file_format.title} holds one measurement, not "
            f"{len(scenes)}; choose one, or write .npz."
        )
    _check_alike(scenes, target)
    file_format.check(scenes, target)
    try:
        with atomic_output(target) as unfinished:
            file_format.write(scenes, unfinished)
    except ValueError as error:
        raise UnwritableFile(f"{target} cannot be written: {error}.") from error
    has = {
        "wavelengths": scenes[0].wavelengths_nm is not None,
        "mask": scenes[0].mask_HW is not None,
    }
    return tuple(name for name, given in has.items() if given and name not in file_format.supports)


def _check_alike(scenes: Sequence[Scene], target: Path) -> None:
    forms = {
        (
            scene.cube_HWC.shape,
            scene.cube_HWC.dtype,
            None if scene.wavelengths_nm is None else scene.wavelengths_nm.tobytes(),
            scene.mask_HW is None,
        )
        for scene in scenes
    }
    if len(forms) != 1:
        raise UnwritableFile(
            f"{target} cannot be written: its {len(scenes)} measurements must have the same size, "
            "type and wavelengths, and all or none must be labelled."
        )
