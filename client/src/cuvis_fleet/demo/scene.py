"""The scene of the demo. Shape letters: N images, H height, W width, C bands."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cuvis_fleet.formats import UnreadableScene, read_scenes


@dataclass(frozen=True)
class Scene:
    """The images of a file.

    Attributes:
        name: name of the file without suffix.
        cubes_NHWC: values as stored.
        wavelengths_nm: centre of each band; None: the file has no wavelengths.
        truth_NHW: true where an anomaly is; None: unknown.
    """

    name: str
    cubes_NHWC: npt.NDArray[Any]
    wavelengths_nm: npt.NDArray[np.float64] | None
    truth_NHW: npt.NDArray[np.bool_] | None


def read_scene(path: Path) -> Scene:
    """Read a scene by the suffix of its file; a truth with only one class is ignored.

    Raises:
        UnreadableScene: the format is unknown, the file is damaged, or values are not finite.
    """
    images = read_scenes(path)
    cubes = np.stack([image.cube_HWC for image in images])
    if not all(np.isfinite(cube).all() for cube in cubes):
        raise UnreadableScene(f"{path} has values that are not finite; mask or replace them first.")
    masks = [image.mask_HW != 0 for image in images if image.mask_HW is not None]
    truth = np.stack(masks) if masks else None
    if truth is not None and (truth.all() or not truth.any()):
        truth = None
    return Scene(images[0].name, cubes, images[0].wavelengths_nm, truth)
