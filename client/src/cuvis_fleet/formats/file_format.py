"""The description of a file format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cuvis_fleet.formats.scene import Scene


@dataclass(frozen=True)
class StoredArrays:
    """The arrays of a file.

    Attributes:
        cubes: [N,H,W,C] or [H,W,C].
        wavelengths_nm: [C]; None: the file has no wavelengths.
        masks: [N,H,W] or [H,W]; None: not labelled.
    """

    cubes: npt.NDArray[Any]
    wavelengths_nm: npt.NDArray[Any] | None = None
    masks: npt.NDArray[Any] | None = None

    def scenes(self, name: str) -> list[Scene]:
        """Create a scene from each cube.

        Raises:
            ValueError: the arrays do not fit together.
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


def _no_check(_scenes: Sequence[Scene], _path: Path) -> None:
    """Check nothing: most formats are a single file."""


@dataclass(frozen=True)
class FileFormat:
    """A file format.

    Attributes:
        title: name of the format for texts.
        suffixes: suffixes of file names, in lower case.
        read: reads a file; raises `ValueError` or `OSError` for an invalid one.
        write: writes scenes of one size; raises `ValueError` for data that it does not support.
        check: checks, before writing, the files beside the target; raises `UnwritableFile`.
        supports: which of ``wavelengths`` and ``mask`` the format supports.
        holds_many: whether a file can contain several cubes.
    """

    title: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], StoredArrays]
    write: Callable[[Sequence[Scene], Path], None]
    check: Callable[[Sequence[Scene], Path], None] = _no_check
    supports: frozenset[str] = frozenset()
    holds_many: bool = False


def stacked(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Stack arrays of one shape along a new first axis; return a single array unchanged."""
    return arrays[0] if len(arrays) == 1 else np.stack(arrays)
