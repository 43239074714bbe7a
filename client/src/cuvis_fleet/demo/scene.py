"""Reading a scene on the client's side. Shape letters: N images, H height, W width, C bands."""

import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat, whosmat
from scipy.io.matlab import MatReadError
from spectral.io import envi

Array = npt.NDArray[Any]
_DAMAGED = (
    envi.EnviException,
    MatReadError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    NotImplementedError,
)
_CUBE_NAMES = ("cube", "data")
_MASK_NAMES = ("mask", "map", "gt", "groundtruth", "ground_truth", "truth", "label", "labels")
_WAVELENGTH_NAMES = ("wavelengths", "wavelength", "wavelengths_nm", "wavelength_nm")
_NM_PER_UNIT = {"micrometer": 1000.0, "micron": 1000.0, "um": 1000.0, "angstrom": 0.1}


class UnreadableScene(Exception):
    """The file is not one that the demo can show; the text says why."""


@dataclass(frozen=True)
class Scene:
    """Images of one file.

    Attributes:
        name: of the file, without suffix.
        cubes_NHWC: values as stored.
        wavelengths_nm: centre of each band; None: the file does not say.
        truth_NHW: where an anomaly is; None: not known.
    """

    name: str
    cubes_NHWC: Array
    wavelengths_nm: npt.NDArray[np.float64] | None
    truth_NHW: npt.NDArray[np.bool_] | None


def read_scene(path: Path) -> Scene:
    """Read a scene by the suffix of its name.

    Raises:
        UnreadableScene: an unknown kind of file, a damaged one, or one without a cube.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UnreadableScene(
            f"{path} is of a kind that the demo does not show; it reads ENVI (name the .hdr), "
            ".mat, .npz and .npy."
        )
    if not path.is_file():
        raise UnreadableScene(f"{path} does not exist.")
    try:
        cubes, wavelengths, masks = reader(path)
    except _DAMAGED as error:
        raise UnreadableScene(f"{path} cannot be read: {error}") from error
    cubes = cubes if cubes.ndim == 4 else cubes[None]
    if cubes.ndim != 4 or cubes.dtype.kind not in "biuf" or cubes.size == 0:
        raise UnreadableScene(f"{path} has no cube of real numbers: {cubes.dtype}{cubes.shape}.")
    if not all(np.isfinite(cube).all() for cube in cubes):
        raise UnreadableScene(f"{path} has values that are not finite; mask or replace them first.")
    if masks is not None:
        masks = masks.reshape(cubes.shape[:3]) != 0
    return Scene(
        path.stem,
        cubes.astype(cubes.dtype.newbyteorder("="), copy=False),
        None if wavelengths is None else np.asarray(wavelengths, np.float64).ravel(),
        masks if masks is not None and masks.any() and not masks.all() else None,
    )


def _read_envi(path: Path) -> tuple[Array, Array | None, Array | None]:
    cube, header = _load_envi(path)
    wavelengths = None
    unit = str(header.get("wavelength units", "")).strip().lower().removesuffix("s")
    if "wavelength" in header and unit not in {"index", "wavenumber", "ghz", "mhz"}:
        wavelengths = np.array(header["wavelength"], np.float64)
        guessed = 1000.0 if unit in {"", "unknown"} and wavelengths.max() < 100 else 1.0
        wavelengths *= _NM_PER_UNIT.get(unit, guessed)
    truth = path.with_name(f"{path.stem}_truth.hdr")
    return cube, wavelengths, _load_envi(truth)[0][:, :, 0] if truth.is_file() else None


def _load_envi(path: Path) -> tuple[Array, dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names in capitals are as good
        image = envi.open(str(path))
    cube = np.array(image.open_memmap(interleave="bip"))
    image.fid.close()
    return cube, image.metadata


def _read_mat(path: Path) -> tuple[Array, Array | None, Array | None]:
    shapes = {name: shape for name, shape, _ in whosmat(path)}
    cubes = [name for name, shape in shapes.items() if len(shape) == 3]
    name = _named(cubes, _CUBE_NAMES) or (cubes[0] if len(cubes) == 1 else None)
    if name is None:
        raise ValueError(f"which of its variables is the cube, {cubes}? name it 'cube'")
    variables: Mapping[str, Array] = loadmat(path)
    fitting = [each for each, shape in shapes.items() if shape == shapes[name][:2]]
    whole = [each for each in fitting if variables[each].dtype.kind in "biu"]
    mask = _named(fitting, _MASK_NAMES) or (whole[0] if len(whole) == 1 else None)
    wavelengths = _named(shapes, _WAVELENGTH_NAMES)
    return (
        np.ascontiguousarray(variables[name]),
        variables[wavelengths] if wavelengths else None,
        variables[mask] if mask else None,
    )


def _read_npz(path: Path) -> tuple[Array, Array | None, Array | None]:
    with np.load(path, allow_pickle=False) as arrays:
        return (
            arrays["cube"],
            arrays.get("wavelengths"),
            arrays.get("mask"),
        )


def _read_npy(path: Path) -> tuple[Array, Array | None, Array | None]:
    return np.load(path, allow_pickle=False), None, None


_READERS: Mapping[str, Callable[[Path], tuple[Array, Array | None, Array | None]]] = (
    MappingProxyType({".hdr": _read_envi, ".mat": _read_mat, ".npz": _read_npz, ".npy": _read_npy})
)


def _named(variables: Iterable[str], names: Iterable[str]) -> str | None:
    by_lower = {variable.lower(): variable for variable in variables}
    return next((by_lower[name] for name in names if name in by_lower), None)
