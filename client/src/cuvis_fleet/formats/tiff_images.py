"""TIFF images: a page per band, or the bands as samples of one page."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cuvis_fleet.extras import needs_extra
from cuvis_fleet.formats.file_format import FileFormat, StoredArrays
from cuvis_fleet.formats.scene import Scene

_DAMAGED = (TypeError, KeyError, IndexError, EOFError, struct.error)
_PURPOSE = "TIFF files"


def _read(path: Path) -> StoredArrays:
    with needs_extra("formats", _PURPOSE):
        import tifffile
    try:
        with tifffile.TiffFile(path) as tiff:
            # Pages that were written separately are one series each; otherwise they share a series.
            kinds = {(series.shape, series.dtype, series.axes) for series in tiff.series}
            if len(kinds) != 1:
                raise ValueError("its pages differ in size or type; each page must be one band")
            ((shape, _, axes),) = kinds
            dimensions = len(shape) + (len(tiff.series) > 1)
            if dimensions not in {2, 3} or not {"Y", "X"} <= set(axes):
                raise ValueError(
                    f"it has the axes {axes} {shape}; pages of equal size, one per band, are needed"
                )
            images = [
                np.moveaxis(series.asarray(), (axes.index("Y"), axes.index("X")), (0, 1))
                for series in tiff.series
            ]
    except (tifffile.TiffFileError, *_DAMAGED) as error:
        raise ValueError(f"it is not a complete TIFF file ({error})") from error
    cube_HWC = np.dstack(images) if images[0].ndim == 2 else images[0]
    return StoredArrays(np.ascontiguousarray(cube_HWC))


def _write(scenes: Sequence[Scene], path: Path) -> None:
    with needs_extra("formats", _PURPOSE):
        import tifffile
    (scene,) = scenes
    bands_first = np.moveaxis(scene.cube_HWC, 2, 0)
    # Plain image pages without metadata, which every TIFF reader supports.
    with tifffile.TiffWriter(path, bigtiff=scene.cube_HWC.nbytes > 2**31) as tiff:
        for band_HW in bands_first:
            tiff.write(band_HW, photometric="minisblack", metadata=None, contiguous=False)


TIFF = FileFormat("TIFF image", (".tif", ".tiff"), _read, _write)
