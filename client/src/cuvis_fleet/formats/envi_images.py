"""ENVI images: a text header, a data file, and optionally the truth as a second image."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cuvis_fleet.extras import needs_extra
from cuvis_fleet.formats.errors import UnwritableFile
from cuvis_fleet.formats.file_format import FileFormat, StoredArrays
from cuvis_fleet.formats.scene import Scene

_VALUES_SUFFIXES = ("", ".img", ".dat", ".raw", ".bin", ".bsq", ".bil", ".bip", ".hyspex")
_NM_PER_UNIT = {
    "nm": 1.0,
    "nanometer": 1.0,
    "um": 1000.0,
    "µm": 1000.0,
    "micron": 1000.0,
    "micrometer": 1000.0,
    "angstrom": 0.1,
}
_MAX_MICROMETRES = 100.0
_PURPOSE = "ENVI files"


def values_file(header: Path) -> Path | None:
    """Return the data file of a header, or None."""
    suffixes = (*_VALUES_SUFFIXES, *map(str.upper, _VALUES_SUFFIXES))
    files = (header.with_name(header.stem + suffix) for suffix in suffixes)
    return next((path for path in files if path.is_file()), None)


def truth_header(header: Path) -> Path:
    """Return the path of the header of an image's truth."""
    return header.with_name(f"{header.stem}_truth.hdr")


def write_image(
    image_HWC: npt.NDArray[Any], header: Path, metadata: Mapping[str, Any] | None = None
) -> None:
    """Write a header and, beside it, an ``.img`` data file.

    Raises:
        ValueError: ENVI does not support the element type.
    """
    with needs_extra("formats", _PURPOSE):
        from spectral.io import envi
    try:
        envi.save_image(
            str(header), image_HWC, metadata=dict(metadata or {}), interleave="bil", ext=".img"
        )
    except envi.EnviDataTypeError as error:
        known = ", ".join(sorted(envi.get_supported_dtypes()))
        raise ValueError(
            f"ENVI does not support the type {image_HWC.dtype}, only {known}"
        ) from error


def _read(path: Path) -> StoredArrays:
    cube_HWC, header = _load(path)
    truth = truth_header(path)
    mask_HW = _load(truth)[0][:, :, 0] if truth.is_file() else None
    return StoredArrays(cube_HWC, _wavelengths_nm(header), mask_HW)


def _load(path: Path) -> tuple[npt.NDArray[Any], Mapping[str, Any]]:
    with needs_extra("formats", _PURPOSE):
        from spectral.io import envi
    values = values_file(path)
    if values is None:
        raise ValueError(f"its data file is missing ({path.stem}.img)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # upper-case names are accepted
            image = envi.open(str(path), str(values))
        with image.fid:
            return np.array(image.open_memmap(interleave="bip")), image.metadata
    except (envi.EnviException, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"it is not an ENVI image header ({error})") from error


def _wavelengths_nm(header: Mapping[str, Any]) -> npt.NDArray[np.float64] | None:
    listed = header.get("wavelength")
    if not listed:
        return None
    try:
        wavelengths = np.array([float(text) for text in listed])
    except ValueError as error:
        raise ValueError("its header lists wavelengths that are not numbers") from error
    unit = str(header.get("wavelength units", "")).strip().lower().removesuffix("s")
    if unit in _NM_PER_UNIT:
        return wavelengths * _NM_PER_UNIT[unit]
    if unit in {"", "unknown"}:
        micrometres = wavelengths.max() < _MAX_MICROMETRES
        return wavelengths * (1000.0 if micrometres else 1.0)
    return None


def _write(scenes: Sequence[Scene], path: Path) -> None:
    (scene,) = scenes
    metadata: dict[str, Any] = {"description": scene.name}
    if scene.wavelengths_nm is not None:
        metadata |= {
            "wavelength": [f"{each:.10g}" for each in scene.wavelengths_nm],
            "wavelength units": "Nanometers",
        }
    write_image(scene.cube_HWC, path, metadata)
    if scene.mask_HW is not None:
        write_image(_narrow(scene.mask_HW)[:, :, None], truth_header(path))


def _narrow(mask_HW: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
    """Return the mask as uint8 if all its classes fit."""
    fits = mask_HW.min() >= 0 and mask_HW.max() <= np.iinfo(np.uint8).max
    return mask_HW.astype(np.uint8) if fits else mask_HW


def _check_no_leftovers(scenes: Sequence[Scene], header: Path) -> None:
    """Check that no existing file would be mistaken for a part of the new image."""
    values, truth = values_file(header), truth_header(header)
    if values is not None and values.name != f"{header.stem}.img":
        raise UnwritableFile(
            f"{header} cannot be written: {values} would be read as its data file; remove it or "
            "choose another name."
        )
    if truth.is_file() and scenes[0].mask_HW is None:
        raise UnwritableFile(
            f"{header} cannot be written: {truth} would be read as its truth; remove it or "
            "choose another name."
        )


ENVI = FileFormat(
    "ENVI image",
    (".hdr",),
    _read,
    _write,
    check=_check_no_leftovers,
    supports=frozenset({"wavelengths", "mask"}),
)
