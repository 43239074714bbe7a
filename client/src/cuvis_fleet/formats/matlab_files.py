"""MATLAB files up to version 7."""

import struct
import zlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from cuvis_fleet.extras import needs_extra
from cuvis_fleet.formats.file_format import FileFormat, StoredArrays
from cuvis_fleet.formats.scene import Scene

_CUBE_NAMES = ("cube", "data")
_MASK_NAMES = ("mask", "map", "gt", "groundtruth", "ground_truth", "truth", "label", "labels")
_WAVELENGTH_NAMES = ("wavelengths", "wavelength", "wavelengths_nm", "wavelength_nm")
_INTEGERS = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)} | {"logical"}
_NUMBERS = _INTEGERS | {"single", "double"}
_DAMAGED = (TypeError, KeyError, IndexError, EOFError, struct.error, zlib.error)
_PURPOSE = "MATLAB files"


def _read(path: Path) -> StoredArrays:
    with needs_extra("formats", _PURPOSE):
        from scipy.io import loadmat, whosmat
        from scipy.io.matlab import MatReadError
    try:
        listed = [each for each in whosmat(path) if each[2] in _NUMBERS]
        shapes = {name: tuple(shape) for name, shape, _ in listed}
        integers = {name for name, _, kind in listed if kind in _INTEGERS}
        cube = _cube_name(shapes)
        mask = _mask_name(shapes, integers, shapes[cube][:2])
        wavelengths = _first_named(shapes, _WAVELENGTH_NAMES)
        loaded = loadmat(path, variable_names=[each for each in (cube, mask, wavelengths) if each])
        return StoredArrays(
            np.ascontiguousarray(loaded[cube]),
            loaded[wavelengths] if wavelengths else None,
            loaded[mask] if mask else None,
        )
    except NotImplementedError as error:
        raise ValueError(
            "its version is 7.3 (HDF5), which is not supported; save it with '-v7' in MATLAB"
        ) from error
    except (MatReadError, *_DAMAGED) as error:
        raise ValueError(f"it is not a complete MATLAB file of version 4 to 7 ({error})") from error


def _cube_name(shapes: Mapping[str, tuple[int, ...]]) -> str:
    cubes = [name for name, shape in shapes.items() if len(shape) == 3]
    found = _first_named(cubes, _CUBE_NAMES) or (cubes[0] if len(cubes) == 1 else None)
    if found is None:
        raise ValueError(
            f"it has {len(cubes) or 'no'} variables with height, width and bands "
            f"({', '.join(sorted(cubes)) or 'none'}); keep one, or name it 'cube'"
        )
    return found


def _mask_name(
    shapes: Mapping[str, tuple[int, ...]], integers: Collection[str], size: tuple[int, ...]
) -> str | None:
    fitting = [name for name, shape in shapes.items() if shape == size]
    whole = [name for name in fitting if name in integers]
    return _first_named(fitting, _MASK_NAMES) or (whole[0] if len(whole) == 1 else None)


def _first_named(variables: Collection[str], names: Sequence[str]) -> str | None:
    by_lower = {variable.lower(): variable for variable in variables}
    return next((by_lower[name] for name in names if name in by_lower), None)


def _write(scenes: Sequence[Scene], path: Path) -> None:
    with needs_extra("formats", _PURPOSE):
        from scipy.io import savemat
    (scene,) = scenes
    if scene.cube_HWC.shape[2] == 1:
        raise ValueError("MATLAB drops the axis of a single band; choose another format")
    if scene.cube_HWC.dtype == np.float16:
        raise ValueError("MATLAB does not support float16; convert the cube to float32")
    variables = {"cube": scene.cube_HWC}
    if scene.wavelengths_nm is not None:
        variables["wavelengths"] = scene.wavelengths_nm
    if scene.mask_HW is not None:
        variables["mask"] = scene.mask_HW
    savemat(path, variables)


MATLAB = FileFormat(
    "MATLAB file", (".mat",), _read, _write, supports=frozenset({"wavelengths", "mask"})
)
