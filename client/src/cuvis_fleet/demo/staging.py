"""Copies a scene to the folder that servers read."""

import re
import shutil
from pathlib import Path

from cuvis_fleet.formats import UnreadableScene
from cuvis_fleet.formats.atomic_files import atomic_path
from cuvis_fleet.formats.envi_images import truth_header, values_file

FOLDER = "demo"


def stage(scene: Path, data_dir: Path) -> str:
    """Copy a scene below the data folder, each file atomically and the header last.

    Args:
        scene: the user's file; with an ENVI header, its values and truth are copied, too.
        data_dir: the folder that servers read from.

    Returns:
        The path of the scene for servers.

    Raises:
        UnreadableScene: a file is missing, or the data folder is not writable.
    """
    folder = data_dir / FOLDER
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", scene.stem)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source, suffix in _files(scene):
            _copy(source, folder / f"{stem}{suffix}")
    except OSError as error:
        raise UnreadableScene(
            f"{scene} cannot be copied to the servers' folder {folder}: {error.strerror or error}."
        ) from error
    return f"{FOLDER}/{stem}{scene.suffix.lower()}"


def _files(scene: Path) -> list[tuple[Path, str]]:
    """Return the files of a scene and the suffixes of their new names."""
    if scene.suffix.lower() != ".hdr":
        return [(scene, scene.suffix.lower())]
    truth = truth_header(scene)
    files = []
    if truth.is_file():
        files += [(_values(truth), "_truth.img"), (truth, "_truth.hdr")]
    return [*files, (_values(scene), ".img"), (scene, ".hdr")]


def _values(header: Path) -> Path:
    values = values_file(header)
    if values is not None:
        return values
    raise UnreadableScene(f"The data file of {header} is missing ({header.stem}.img).")


def _copy(source: Path, target: Path) -> None:
    if target.exists() and source.samefile(target):
        return
    with atomic_path(target) as unfinished:
        shutil.copyfile(source, unfinished)
