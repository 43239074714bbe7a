"""Reader for ENVI images: a text header and a raw file."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from spectral.io import envi

from fleet_engine.data.data_file import DataFile
from fleet_engine.data.measurement import Measurement

_DATA_SUFFIXES = ("", ".img", ".dat", ".raw", ".bin", ".bsq", ".bil", ".bip", ".hyspex")
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


class EnviReader:
    """The measurement of an ENVI image, mapped into memory.

    The reflectance scale factor of the header is not applied: values are as stored. A
    classification image `<stem>_truth.hdr` next to the header is the mask.
    """

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._cube_HWC, header = _map_image(file)
        self._wavelengths_nm = _wavelengths_nm(file, header)
        truth = file.sibling(f"{file.path.stem}_truth.hdr")
        self._truth = (
            DataFile(truth, f"{_stem(file.sent)}_truth.hdr", file.files) if truth else None
        )

    def __len__(self) -> int:
        return 1

    def read(self, index: int) -> Measurement:
        """Return the measurement; its values are loaded from the file on access."""
        mask = None
        if self._truth is not None:
            image_HWC, _ = _map_image(self._truth)
            mask = image_HWC[:, :, 0]
        return Measurement.from_arrays(self._file, self._cube_HWC, self._wavelengths_nm, mask)


def _map_image(file: DataFile) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # upper-case names are accepted
            header = envi.read_envi_header(str(file.path))
        envi.check_compatibility(header)
        layout = envi.gen_params(header)
        height, width, bands = layout.nrows, layout.ncols, layout.nbands
        interleave = header["interleave"].lower()
        # The position of the axes height, width and bands in the file.
        shape, axes = {
            "bip": ((height, width, bands), (0, 1, 2)),
            "bil": ((height, bands, width), (0, 2, 1)),
            "bsq": ((bands, height, width), (1, 2, 0)),
        }[interleave]
    except (envi.EnviException, KeyError, ValueError, AttributeError) as error:
        raise file.unreadable(
            "it is not an ENVI image header with samples, lines, bands, data type, byte order and "
            "interleave (bil, bip or bsq)."
        ) from error
    suffixes = (*_DATA_SUFFIXES, *map(str.upper, _DATA_SUFFIXES))
    data = next(filter(None, (file.sibling(file.path.stem + suffix) for suffix in suffixes)), None)
    if data is None:
        raise file.unreadable(f"the values ('{_stem(file.sent)}' or with .img, .dat) are missing.")
    try:
        values = np.memmap(data, layout.dtype, mode="r", offset=layout.offset, shape=shape)
    except (ValueError, OSError, OverflowError) as error:
        raise file.unreadable(
            f"its values are fewer than the {height} x {width} pixels of {bands} bands that the "
            "header says."
        ) from error
    return values.transpose(axes), header


def _wavelengths_nm(file: DataFile, header: dict[str, Any]) -> npt.NDArray[np.float64] | None:
    listed = header.get("wavelength")
    if not listed:
        return None
    try:
        wavelengths = np.array([float(text) for text in listed])
    except (ValueError, TypeError) as error:
        raise file.unreadable("its header lists wavelengths that are not numbers.") from error
    unit = str(header.get("wavelength units", "")).strip().lower().removesuffix("s")
    if unit in _NM_PER_UNIT:
        return wavelengths * _NM_PER_UNIT[unit]
    if unit in {"", "unknown"}:
        micrometres = wavelengths.max() < _MAX_MICROMETRES
        return wavelengths * (1000.0 if micrometres else 1.0)
    return None


def _stem(sent: str) -> str:
    return sent[: -len(".hdr")]
