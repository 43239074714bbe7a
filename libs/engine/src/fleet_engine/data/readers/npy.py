"""Reader for a single NumPy array."""

from typing import Any

import numpy as np
import numpy.typing as npt

from fleet_engine.data.data_file import DataFile
from fleet_engine.data.measurement import Measurement


class NpyReader:
    """Cubes [N,H,W,C], or one cube [H,W,C], mapped into memory."""

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._count = len(self._map())

    def __len__(self) -> int:
        return self._count

    def read(self, index: int) -> Measurement:
        """Return measurement `index`; its values are loaded from the file on access."""
        # A separate memory map, so that pages are released together with the measurement.
        return Measurement.from_arrays(self._file, self._map()[index])

    def _map(self) -> npt.NDArray[Any]:
        """Return all cubes, [N,H,W,C]."""
        file = self._file
        try:
            array: npt.NDArray[Any] = np.load(file.path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise file.unreadable("it is not a complete .npy file of plain numbers.") from error
        if array.ndim not in {3, 4}:
            raise file.unreadable(
                f"its array has the shape {array.shape}; [N,H,W,C] or [H,W,C] is needed."
            )
        return array if array.ndim == 4 else array[None]
