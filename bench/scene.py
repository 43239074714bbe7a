"""Synthetic measurements: a smooth background with a few bright targets, the same on every run."""

import json
from pathlib import Path

import numpy as np

from tests.support.sdk_stub import cu3s

BANDS = 61
_SEED = 20240611
_TARGET_CLASS = 2


def wavelengths_nm() -> np.ndarray:
    """Return the band centres, int32 [C]."""
    return np.linspace(430, 910, BANDS).astype(np.int32)


def cube(side: int) -> np.ndarray:
    """Return one measurement, uint16 [1, side, side, C]."""
    random = np.random.default_rng(_SEED)
    spectra = random.uniform(2000, 20000, (4, BANDS))
    mixture = random.dirichlet(np.ones(4), (side, side)).astype(np.float32)
    clean = mixture @ spectra.astype(np.float32)
    noisy = clean + random.normal(0, 40, clean.shape).astype(np.float32)
    noisy[:: max(side // 8, 1), :: max(side // 8, 1)] += 9000
    return noisy.clip(0, 65535).astype(np.uint16)[None]


def write_training_data(path: Path, side: int, measurements: int) -> None:
    """Write labelled measurements as an ``.npz`` for the readers of the product."""
    one = cube(side)[0]
    cubes = np.stack([np.roll(one, shift, axis=0) for shift in range(measurements)])
    masks = np.zeros(cubes.shape[:3], np.int32)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, cube=cubes, wavelengths=wavelengths_nm(), mask=masks)


def write_session(path: Path, side: int, measurements: int) -> None:
    """Write different measurements as a session file, with the labels of a square next to it.

    It is a session file of the stub of the camera's SDK, the only format that the published package
    reads.
    """
    random = np.random.default_rng(_SEED)
    one = cube(side)[0].astype(np.float32)
    shape = (measurements, *one.shape)
    cubes = one * random.uniform(0.9, 1.1, (measurements, 1, 1, 1)) + random.normal(0, 400, shape)
    target = side // 8
    annotations = []
    for index, (row, column) in enumerate(random.integers(0, side - target, (measurements, 2))):
        cubes[index, row : row + target, column : column + target] *= np.linspace(1.6, 0.7, BANDS)
        left, top, right, bottom = map(float, (column, row, column + target, row + target))
        annotations.append(
            {
                "id": index + 1,
                "image_id": index,
                "category_id": _TARGET_CLASS,
                "segmentation": [[left, top, right, top, right, bottom, left, bottom]],
                "bbox": [left, top, target, target],
                "area": target**2,
                "iscrowd": 0,
            }
        )
    images = [
        {"id": index, "file_name": f"{index}.png", "height": side, "width": side}
        for index in range(measurements)
    ]
    categories = [{"id": 1, "name": "background"}, {"id": _TARGET_CLASS, "name": "target"}]
    labels = {"images": images, "annotations": annotations, "categories": categories}
    cu3s.write_cu3s(path, cubes.clip(0, 65535).astype(np.uint16), wavelengths_nm())
    path.with_suffix(".json").write_text(json.dumps(labels), encoding="utf-8")
