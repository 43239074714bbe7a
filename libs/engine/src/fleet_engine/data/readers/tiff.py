"""Reader for multi-band TIFF images."""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from fleet_engine.data.data_file import DataFile
from fleet_engine.data.measurement import Measurement

_DAMAGED = (
    tifffile.TiffFileError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OSError,
    EOFError,
    struct.error,
)


class TiffReader:
    """The measurement of a TIFF file, with bands as pages or as samples of one page."""

    def __init__(self, file: DataFile) -> None:
        self._file = file
        try:
            with tifffile.TiffFile(file.path) as tiff:
                # Pages written separately are one series each; otherwise one series has them all.
                kinds = {(series.shape, series.dtype, series.axes) for series in tiff.series}
                self._series = len(tiff.series)
        except _DAMAGED as error:
            raise file.unreadable("it is not a complete TIFF file.") from error
        if len(kinds) != 1:
            raise file.unreadable("its pages differ in size or type; each page is one band.")
        ((shape, _, self._axes),) = kinds
        dimensions = len(shape) + (self._series > 1)
        if dimensions not in {2, 3} or not {"Y", "X"} <= set(self._axes):
            raise file.unreadable(
                f"it has the axes {self._axes} {shape}; pages of equal size, one per band, are "
                "needed."
            )

    def __len__(self) -> int:
        return 1

    def read(self, index: int) -> Measurement:
        """Read all bands."""
        try:
            with tifffile.TiffFile(self._file.path) as tiff:
                images: list[npt.NDArray[Any]] = [series.asarray() for series in tiff.series]
        except _DAMAGED as error:
            raise self._file.unreadable(
                "it is truncated, damaged, or has an unsupported compression."
            ) from error
        bands = [
            np.moveaxis(image, (self._axes.index("Y"), self._axes.index("X")), (0, 1))
            for image in images
        ]
        cube_HWC = np.dstack(bands) if bands[0].ndim == 2 else bands[0]
        return Measurement.from_arrays(self._file, np.ascontiguousarray(cube_HWC))
