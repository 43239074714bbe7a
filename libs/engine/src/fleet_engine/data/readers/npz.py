"""Reader for named NumPy arrays in an archive."""

import zipfile
import zlib

from fleet_engine.data.data_file import DataFile
from fleet_engine.data.measurement import Measurement
from fleet_engine.data.readers.archived_array import ArchivedArray

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    ValueError,
    OSError,
    EOFError,
    NotImplementedError,
)


class NpzReader:
    """`cube` [N,H,W,C] or [H,W,C], `wavelengths` [C] in nm, `mask` [N,H,W] or [H,W].

    Only the requested measurement is read from the archive if measurements are contiguous.
    """

    def __init__(self, file: DataFile) -> None:
        self._file = file
        try:
            with zipfile.ZipFile(file.path) as archive:
                names = {name.removesuffix(".npy") for name in archive.namelist()}
            if "cube" not in names:
                raise file.unreadable(
                    f"it has no array 'cube', only {', '.join(sorted(names)) or 'nothing'}."
                )
            self._cube = ArchivedArray(file.path, "cube", item_ndim=3)
            self._mask = ArchivedArray(file.path, "mask", item_ndim=2) if "mask" in names else None
            self._wavelengths_nm = (
                ArchivedArray(file.path, "wavelengths", item_ndim=1).read(0)
                if "wavelengths" in names
                else None
            )
        except _DAMAGED as error:
            raise file.unreadable(
                "it is not a complete .npz file of plain numbers with 'cube' [N,H,W,C] or [H,W,C] "
                "and, optionally, 'wavelengths' [C] and 'mask' [N,H,W] or [H,W]."
            ) from error
        if self._mask is not None and self._mask.shape != self._cube.shape[:3]:
            raise file.unreadable(
                f"its mask is for {self._mask.count} of {self._mask.item_shape} pixels, its cube "
                f"has {self._cube.count} of {self._cube.item_shape[:2]}."
            )

    def __len__(self) -> int:
        return self._cube.count

    def read(self, index: int) -> Measurement:
        """Read measurement `index` from the archive."""
        try:
            cube_HWC = self._cube.read(index)
            mask_HW = self._mask.read(index) if self._mask else None
        except _DAMAGED as error:
            raise self._file.unreadable(f"measurement {index} is truncated or damaged.") from error
        return Measurement.from_arrays(self._file, cube_HWC, self._wavelengths_nm, mask_HW)
