"""What is known about a kind of file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cuvis_fleet.formats.scene import Scene


@dataclass(frozen=True)
class StoredArrays:
    """What a file holds, as it is stored.

    Attributes:
        cubes: [N,H,W,C] or [H,W,C].
        wavelengths_nm: [C]; None: the file does not say.
        masks: of the cubes' axes but the last; None: not labelled.
    """

    cubes: npt.NDArray[Any]
    wavelengths_nm: npt.NDArray[Any] | None = None
    masks: npt.NDArray[Any] | None = None

    def scenes(self, name: str) -> list[Scene]:
        """Make a scene of each cube.

        Raises:
            ValueError: something does not fit.
        """
        if self.cubes.ndim not in {3, 4}:
            raise ValueError(
                f"the cube has the shape {self.cubes.shape}; height, width and bands are needed, "
                "with the number of cubes before them if there are several"
            )
        cubes = self.cubes if self.cubes.ndim == 4 else self.cubes[None]
        if self.masks is None:
            return [Scene(cube, self.wavelengths_nm, None, name) for cube in cubes]
        masks = self.masks if self.masks.ndim == 3 else self.masks[None]
        if masks.shape != cubes.shape[:3]:
            raise ValueError(
                f"the mask has the shape {self.masks.shape}, the cube {self.cubes.shape}"
            )
        return [
            Scene(cube, self.wavelengths_nm, mask, name)
            for cube, mask in zip(cubes, masks, strict=True)
        ]


def _nothing_beside(_scenes: Sequence[Scene], _path: Path) -> None:
    """Most kinds are one file, beside which anything may lie."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file.

    Attributes:
        title: for people.
        suffixes: of the names, in lower case.
        read: reads a whole file; raises `ValueError` or `OSError` for a bad one.
        write: writes scenes of one size; raises `ValueError` for what the kind cannot hold.
        check: looks, before anything is written, at what lies beside the file; raises
            `UnwritableFile`.
        places: which of ``wavelengths`` and ``mask`` the kind has a place for.
        holds_many: whether it holds more than one cube.
    """

    title: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], StoredArrays]
    write: Callable[[Sequence[Scene], Path], None]
    check: Callable[[Sequence[Scene], Path], None] = _nothing_beside
    places: frozenset[str] = frozenset()
    holds_many: bool = False


def stacked(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Several arrays of one shape along a new first axis; a single one as it is."""
    return arrays[0] if len(arrays) == 1 else np.stack(arrays)
