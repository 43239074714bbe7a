"""NumPy files: `.npz` with `cube`, `wavelengths` and `mask`; `.npy` with cubes only."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cuvis_fleet.formats.file_format import FileFormat, StoredArrays, stacked
from cuvis_fleet.formats.scene import Scene

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)


def _read_npz(path: Path) -> StoredArrays:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if not isinstance(arrays, np.lib.npyio.NpzFile) or "cube" not in arrays:
                names = ", ".join(getattr(arrays, "files", ())) or "none"
                raise ValueError(f"it has no array 'cube' (its arrays: {names})")
            return StoredArrays(arrays["cube"], arrays.get("wavelengths"), arrays.get("mask"))
    except _DAMAGED as error:
        raise ValueError(f"it is truncated or damaged ({error})") from error


def _write_npz(scenes: Sequence[Scene], path: Path) -> None:
    arrays = {"cube": stacked([scene.cube_HWC for scene in scenes])}
    if scenes[0].wavelengths_nm is not None:
        arrays["wavelengths"] = scenes[0].wavelengths_nm
    masks = [scene.mask_HW for scene in scenes if scene.mask_HW is not None]
    if masks:
        arrays["mask"] = stacked(masks)
    write_arrays(arrays, path)


def write_arrays(arrays: dict[str, npt.NDArray[Any]], path: Path) -> None:
    """Write arrays by name without compression, so that each can be read in place."""
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _read_npy(path: Path) -> StoredArrays:
    try:
        cubes = np.load(path, allow_pickle=False)
    except EOFError as error:
        raise ValueError("it is truncated") from error
    if not isinstance(cubes, np.ndarray):
        raise ValueError("it is an archive; name it .npz")  # noqa: TRY004 (the content of a file)
    return StoredArrays(cubes)


def _write_npy(scenes: Sequence[Scene], path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, stacked([scene.cube_HWC for scene in scenes]), allow_pickle=False)


NPZ = FileFormat(
    "NumPy archive",
    (".npz",),
    _read_npz,
    _write_npz,
    supports=frozenset({"wavelengths", "mask"}),
    holds_many=True,
)
NPY = FileFormat("NumPy array", (".npy",), _read_npy, _write_npy, holds_many=True)
