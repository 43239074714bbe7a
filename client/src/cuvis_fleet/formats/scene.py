"""A scene: a cube with its metadata. Shape letters: H height, W width, C bands."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_MAX_ITEM_BYTES = 8


@dataclass(frozen=True)
class Scene:
    """A cube with its wavelengths and mask.

    Attributes:
        cube_HWC: values as stored, in the machine's byte order.
        wavelengths_nm: centre of each band, float64; None: unknown.
        mask_HW: class of each pixel, int32, where 0 is background; None: not labelled.
        name: name for titles and files.

    Raises:
        ValueError: the cube has a wrong rank or type, or does not fit the wavelengths or mask.
    """

    cube_HWC: npt.NDArray[Any]
    wavelengths_nm: npt.NDArray[np.float64] | None = None
    mask_HW: npt.NDArray[np.int32] | None = None
    name: str = "scene"

    def __post_init__(self) -> None:
        cube = np.asarray(self.cube_HWC)
        if cube.ndim != 3 or cube.size == 0:
            raise ValueError(
                f"the cube has the shape {cube.shape}; height, width and bands are needed"
            )
        if cube.dtype.kind not in "biuf" or cube.dtype.itemsize > _MAX_ITEM_BYTES:
            raise ValueError(
                f"the cube has the type {cube.dtype}; integers of up to 64 bits, float16, float32 "
                "and float64 are supported"
            )
        native = cube.astype(cube.dtype.newbyteorder("="), copy=False)
        object.__setattr__(self, "cube_HWC", native)
        if self.wavelengths_nm is not None:
            fitting = _fitting_wavelengths(self.wavelengths_nm, cube.shape[2])
            object.__setattr__(self, "wavelengths_nm", fitting)
        if self.mask_HW is not None:
            object.__setattr__(self, "mask_HW", _fitting_mask(self.mask_HW, cube.shape[:2]))

    @property
    def sent_wavelengths(self) -> npt.NDArray[np.float64]:
        """The wavelengths to send with the cube, in nm, or the band indices if unknown.

        A server uses the same values when it reads such a file.
        """
        if self.wavelengths_nm is not None:
            return self.wavelengths_nm
        return np.arange(self.cube_HWC.shape[2], dtype=np.float64)


def _fitting_wavelengths(wavelengths_nm: npt.ArrayLike, bands: int) -> npt.NDArray[np.float64]:
    given = np.asarray(wavelengths_nm)
    if given.dtype.kind not in "iuf":
        raise ValueError(f"the wavelengths have the type {given.dtype} and are not numbers")
    flat = given.astype(np.float64).ravel()
    if flat.size != bands:
        raise ValueError(f"the cube has {bands} bands, but there are {flat.size} wavelengths")
    if not np.isfinite(flat).all():
        raise ValueError("the wavelengths are not all finite numbers of nanometres")
    return flat


def _fitting_mask(mask_HW: npt.ArrayLike, shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    given = np.asarray(mask_HW)
    if given.shape != shape:
        raise ValueError(f"the mask has the shape {given.shape}, the cube {shape}")
    if given.dtype.kind not in "biuf":
        raise ValueError(f"the mask has the type {given.dtype}; integers are needed")
    # A class outside of int32 changes its value here and fails the comparison below.
    with np.errstate(invalid="ignore"):
        mask = given.astype(np.int32)
    if not np.array_equal(mask, given):
        raise ValueError("the mask has values that are not 32-bit integers")
    return mask
