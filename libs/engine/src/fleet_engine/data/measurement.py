"""One measurement. Shape letters: H height, W width, C bands."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fleet_engine.data.data_file import DataFile

_CUBE_KINDS = "biuf"
_CUBE_MAX_ITEM_BYTES = 8


@dataclass(frozen=True)
class Measurement:
    """A cube and its metadata.

    Attributes:
        cube_HWC: values as stored, in native byte order; may be a view of the file.
        wavelengths_nm: centre of each band, float64 [C]; the number of the band if the file has no
            wavelengths.
        wavelengths_known: whether the file has wavelengths.
        mask_HW: class of each pixel, int32; None: not labelled.
    """

    cube_HWC: npt.NDArray[Any]
    wavelengths_nm: npt.NDArray[np.float64]
    wavelengths_known: bool
    mask_HW: npt.NDArray[np.int32] | None = None

    @classmethod
    def from_arrays(
        cls,
        file: DataFile,
        cube_HWC: npt.NDArray[Any],
        wavelengths_nm: npt.NDArray[Any] | None = None,
        mask_HW: npt.NDArray[Any] | None = None,
    ) -> "Measurement":
        """Check and convert the arrays of a reader.

        Raises:
            InvalidInput: the cube is empty or has an unsupported type, or wavelengths or mask do
                not match it.
        """
        if cube_HWC.ndim != 3 or cube_HWC.size == 0:
            raise file.unreadable(
                f"its cube has the shape {cube_HWC.shape}; height, width and bands are needed."
            )
        dtype = cube_HWC.dtype
        if dtype.kind not in _CUBE_KINDS or dtype.itemsize > _CUBE_MAX_ITEM_BYTES:
            raise file.unreadable(
                f"its values are of type {dtype}; integers of up to 64 bits, "
                "float16, float32 and float64 are supported."
            )
        height, width, bands = cube_HWC.shape
        return cls(
            cube_HWC.astype(dtype.newbyteorder("="), copy=False),
            _wavelengths(file, wavelengths_nm, bands),
            wavelengths_nm is not None,
            None if mask_HW is None else _mask(file, mask_HW, (height, width)),
        )

    def with_mask(self, mask_HW: npt.NDArray[np.int32]) -> "Measurement":
        """Return the same measurement labelled by `mask_HW`."""
        return replace(self, mask_HW=mask_HW)

    def in_memory(self) -> "Measurement":
        """Return the same measurement with a contiguous, writable cube in memory."""
        return replace(self, cube_HWC=np.require(self.cube_HWC, requirements=("C", "W", "O")))

    @property
    def is_finite(self) -> bool:
        """Whether no value of the cube is NaN or infinite; integers never are."""
        if self.cube_HWC.dtype.kind != "f":
            return True
        # Any NaN is both minimum and maximum; neither search allocates memory.
        return bool(np.isfinite(self.cube_HWC.min()) and np.isfinite(self.cube_HWC.max()))


def _wavelengths(
    file: DataFile, wavelengths_nm: npt.NDArray[Any] | None, bands: int
) -> npt.NDArray[np.float64]:
    if wavelengths_nm is None:
        return np.arange(bands, dtype=np.float64)
    if wavelengths_nm.dtype.kind not in "iuf":
        raise file.unreadable(f"its wavelengths are of type {wavelengths_nm.dtype}, not numbers.")
    flat = wavelengths_nm.astype(np.float64).ravel()
    if flat.size != bands:
        raise file.unreadable(f"it has {bands} bands but {flat.size} wavelengths.")
    if not np.isfinite(flat).all() or (np.abs(flat) > np.iinfo(np.int32).max).any():
        raise file.unreadable("its wavelengths are not all finite numbers of nanometres.")
    return flat


def _mask(
    file: DataFile, mask_HW: npt.NDArray[Any], shape: tuple[int, int]
) -> npt.NDArray[np.int32]:
    if mask_HW.shape != shape:
        raise file.unreadable(f"its mask has the shape {mask_HW.shape}, its cube {shape}.")
    if mask_HW.dtype.kind not in "biuf":
        raise file.unreadable(f"its mask is of type {mask_HW.dtype}, not whole numbers.")
    # A class that int32 cannot represent changes here and is refused below.
    with np.errstate(invalid="ignore"):
        mask = mask_HW.astype(np.int32)
    if not np.array_equal(mask, mask_HW):
        raise file.unreadable("its mask has values that are not whole numbers of 32 bits.")
    return mask
