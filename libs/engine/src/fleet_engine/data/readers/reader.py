"""What every reader does."""

from typing import Protocol

from fleet_engine.data.measurement import Measurement


class Reader(Protocol):
    """The measurements of one file.

    Opening a reader looks at what the file says about itself, so that a file of a wrong kind is
    refused early; cubes are read by `read` alone.
    """

    def __len__(self) -> int:
        """How many measurements the file has."""

    def read(self, index: int) -> Measurement:
        """Read measurement `index`, which is in range.

        Raises:
            InvalidInput: the file is cut off or damaged.
        """
