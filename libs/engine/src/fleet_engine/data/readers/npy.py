"""A single NumPy array."""

import numpy as np

from fleet_engine.data.data_file import DataFile
from fleet_engine.data.measurement import Measurement


class NpyReader:
    """Cubes [N,H,W,C], or one cube [H,W,C], mapped into memory."""

    def __init__(self, file: DataFile) -> None:
        self._file = file
        try:
            array = np.load(file.path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise file.unreadable("it is not a whole .npy file of plain numbers.") from error
        if array.ndim not in {3, 4}:
            raise file.unreadable(
                f"its array has the shape {array.shape}; [N,H,W,C] or [H,W,C] is needed."
            )
        self._cubes_NHWC = array if array.ndim == 4 else array[None]

    def __len__(self) -> int:
        return len(self._cubes_NHWC)

    def read(self, index: int) -> Measurement:
        """Return measurement `index`; its values come from the file as they are used."""
        return Measurement.from_arrays(self._file, self._cubes_NHWC[index])
