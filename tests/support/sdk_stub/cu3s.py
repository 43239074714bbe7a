"""Writing session files that the stub of the `cuvis` SDK reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

PYTHONPATH = Path(__file__).parent
"""The folder of the stub."""


def write_cu3s(
    path: Path,
    cubes: npt.NDArray[Any],
    wavelengths: Sequence[int] | npt.NDArray[Any],
    references: Sequence[str] = ("White", "Dark"),
) -> Path:
    """Write cubes [N,H,W,C] (uint16) and wavelengths [C] in nm; returns `path`."""
    with path.open("wb") as file:
        np.savez(
            file,
            cubes=np.asarray(cubes),
            wavelengths=np.asarray(wavelengths),
            references=np.asarray(references, dtype=np.str_),
        )
    return path
