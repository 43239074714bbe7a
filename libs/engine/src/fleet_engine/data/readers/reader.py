"""Protocol of all readers."""

from typing import Protocol

from fleet_engine.data.measurement import Measurement


class Reader(Protocol):
    """The measurements of one file.

    Opening a reader checks the metadata of the file, so that unsupported files are refused early;
    only `read` reads cubes.
    """

    def __len__(self) -> int:
        """The number of measurements of the file."""

    def read(self, index: int) -> Measurement:
        """Read measurement `index`, which must be in range.

        Raises:
            InvalidInput: the file is truncated or damaged.
        """
