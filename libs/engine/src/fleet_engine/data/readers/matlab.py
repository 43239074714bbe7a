"""Reader for MATLAB files up to version 7."""

import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat, whosmat
from scipy.io.matlab import MatReadError

from fleet_engine.data.data_file import DataFile
from fleet_engine.data.measurement import Measurement

_CUBE_NAMES = ("cube", "data")
_MASK_NAMES = ("mask", "map", "gt", "groundtruth", "ground_truth", "truth", "label", "labels")
_WAVELENGTH_NAMES = ("wavelengths", "wavelength", "wavelengths_nm", "wavelength_nm")
_INTEGERS = frozenset(
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
) | frozenset({"logical"})
_NUMBERS = _INTEGERS | {"single", "double"}
_DAMAGED = (
    MatReadError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OSError,
    EOFError,
    struct.error,
    zlib.error,
)


class MatlabReader:
    """The single measurement in a `.mat` file.

    The cube is the variable with three dimensions (height, width, bands), the mask an integer
    variable of the same height and width. The wavelengths, in nm, are found by name.
    """

    def __init__(self, file: DataFile) -> None:
        self._file = file
        try:
            shapes = {name: (shape, kind) for name, shape, kind in whosmat(file.path)}
        except NotImplementedError as error:
            raise file.unreadable(
                "it is a MATLAB 7.3 file (HDF5); save it again in MATLAB with "
                "save('file.mat', ..., '-v7')."
            ) from error
        except _DAMAGED as error:
            raise file.unreadable("it is not a complete MATLAB file of version 4 to 7.") from error
        variables = {name: shape for name, (shape, kind) in shapes.items() if kind in _NUMBERS}
        self._cube = self._find_cube(variables)
        integers = {name for name, (_, kind) in shapes.items() if kind in _INTEGERS}
        self._mask = _find_mask(variables, integers, variables[self._cube][:2])
        self._wavelengths = _first_named(variables, _WAVELENGTH_NAMES)

    def __len__(self) -> int:
        return 1

    def read(self, index: int) -> Measurement:
        """Load the measurement."""
        names = [name for name in (self._cube, self._mask, self._wavelengths) if name]
        try:
            loaded: dict[str, npt.NDArray[Any]] = loadmat(self._file.path, variable_names=names)
            cube_HWC = loaded[self._cube]
            mask_HW = loaded[self._mask] if self._mask else None
            wavelengths_nm = loaded[self._wavelengths] if self._wavelengths else None
        except _DAMAGED as error:
            raise self._file.unreadable("it is truncated or damaged.") from error
        # MATLAB stores the first axis contiguously; readers need contiguous pixels.
        return Measurement.from_arrays(
            self._file, np.ascontiguousarray(cube_HWC), wavelengths_nm, mask_HW
        )

    def _find_cube(self, variables: Mapping[str, tuple[int, ...]]) -> str:
        cubes = {name: shape for name, shape in variables.items() if len(shape) == 3}
        found = _first_named(cubes, _CUBE_NAMES) or (next(iter(cubes)) if len(cubes) == 1 else None)
        if found is None:
            if not cubes:
                raise self._file.unreadable(
                    "it has no numeric variable with three dimensions (height, width, bands)."
                )
            raise self._file.unreadable(
                f"it has {len(cubes)} numeric variables with three dimensions: "
                f"{', '.join(sorted(cubes))}; keep only one, or name it 'cube'."
            )
        return found


def _find_mask(
    variables: Mapping[str, tuple[int, ...]], integers: set[str], shape: tuple[int, ...]
) -> str | None:
    fitting = {name: each for name, each in variables.items() if each == shape}
    candidates = [name for name in fitting if name in integers]
    return _first_named(fitting, _MASK_NAMES) or (candidates[0] if len(candidates) == 1 else None)


def _first_named(variables: Mapping[str, tuple[int, ...]], names: tuple[str, ...]) -> str | None:
    by_lower = {name.lower(): name for name in variables}
    return next((by_lower[name] for name in names if name in by_lower), None)
