"""A small synthetic scene with known anomalies, in the forms that the services read."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BANDS = 61
SIDE = 32
MEASUREMENTS = 7
ANOMALY_CLASS = 2
_ANOMALY_SIDE = 4


@dataclass(frozen=True)
class Scene:
    """Measurements of one scene.

    Attributes:
        cubes: cubes_NHWC, uint16 counts.
        wavelengths_nm: [C], int32.
        mask: classes_NHW, int32; 0 is background.
    """

    cubes: np.ndarray
    wavelengths_nm: np.ndarray
    mask: np.ndarray

    def coco(self) -> dict[str, object]:
        """The anomalies as COCO polygons; an image's id is its measurement's number."""
        annotations = []
        for index, mask in enumerate(self.mask):
            rows, columns = np.nonzero(mask)
            left, right = float(columns.min()), float(columns.max()) + 1
            top, bottom = float(rows.min()), float(rows.max()) + 1
            annotations.append(
                {
                    "id": index + 1,
                    "image_id": index,
                    "category_id": ANOMALY_CLASS,
                    "segmentation": [[left, top, right, top, right, bottom, left, bottom]],
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": 0,
                }
            )
        return {
            "images": [
                {"id": index, "file_name": f"{index}.png", "height": SIDE, "width": SIDE}
                for index in range(len(self.cubes))
            ],
            "annotations": annotations,
            "categories": [
                {"id": 0, "name": "background"},
                {"id": 1, "name": "lentils"},
                {"id": ANOMALY_CLASS, "name": "stone"},
            ],
        }


def make_scene(seed: int = 20) -> Scene:
    """Three smooth spectra mixed per pixel, sensor noise, one square of something else per cube.

    The noise is strong enough for a covariance that float32 inverts to four digits.
    """
    rng = np.random.default_rng(seed)
    position = np.linspace(0.0, 1.0, BANDS)
    spectra_KC = np.stack([1.0 + position, 2.0 - position, 1.0 + np.sin(np.pi * position)])
    shape = (MEASUREMENTS, SIDE, SIDE)
    shares_NHWK = rng.dirichlet(np.ones(3), size=shape)
    cubes = 1000.0 * shares_NHWK @ spectra_KC + rng.normal(0.0, 120.0, (*shape, BANDS))
    mask = np.zeros(shape, dtype=np.int32)
    other_C = 1500.0 + 600.0 * np.cos(9.0 * position)
    for index in range(MEASUREMENTS):
        row, column = rng.integers(0, SIDE - _ANOMALY_SIDE, size=2)
        place = (index, slice(row, row + _ANOMALY_SIDE), slice(column, column + _ANOMALY_SIDE))
        mask[place] = ANOMALY_CLASS
        cubes[place] += 0.5 * (other_C - cubes[place])
    return Scene(
        cubes=np.clip(np.rint(cubes), 0, 65535).astype(np.uint16),
        wavelengths_nm=np.linspace(430, 910, BANDS).astype(np.int32),
        mask=mask,
    )


def write_npz(scene: Scene, path: Path) -> None:
    """Write the scene as a labelled ``.npz``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, cube=scene.cubes, wavelengths=scene.wavelengths_nm, mask=scene.mask)


def write_annotations(scene: Scene, path: Path) -> None:
    """Write the labels as COCO JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(scene.coco()), encoding="utf-8")
