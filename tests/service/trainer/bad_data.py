"""Writes measurements and labels that no training can use."""

import json
from pathlib import Path

import numpy as np

from tests.support.scenes.gradient_scene import TRAIN, VAL, write_scene

SCENE = "scene8.npz"
_SIZE = 12
_INSIDE = [1, 1, 6, 1, 6, 6]
_REGIONS = {
    "outside.json": [[50, 50, 60, 50, 60, 60]],
    "odd.json": [[*_INSIDE, 3]],
    "words.json": [["a", "b", "c", "d", "e", "f"]],
    "no_ring.json": "abc",
    "runs_for_another_size.json": {"size": [3, 3], "counts": [9]},
    "runs_without_size.json": {"counts": [144]},
    "runs_of_words.json": {"size": [_SIZE, _SIZE], "counts": {"a": 1}},
    "runs_too_short.json": {"size": [_SIZE, _SIZE], "counts": [100]},
}


def write_bad_data(folder: Path) -> None:
    """Write all files that are named in the cases of bad input."""
    with np.load(write_scene(folder / SCENE)) as scene:
        arrays = dict(scene)
    _write(folder / "nan_train.npz", arrays, cube=_with(arrays["cube"], TRAIN[2], np.nan))
    _write(folder / "infinite_val.npz", arrays, cube=_with(arrays["cube"], VAL[0], np.inf))
    _write(folder / "overflow.npz", arrays, cube=arrays["cube"].astype(np.float64) * 1e300)
    _write(folder / "one_class.npz", arrays, mask=np.zeros_like(arrays["mask"]))
    del arrays["mask"]
    _write(folder / "unlabelled.npz", arrays)
    (folder / "broken.npz").write_bytes(b"not a file of arrays")
    (folder / "cut.json").write_text("{")
    (folder / "list.json").write_text("[]")
    (folder / "bytes.json").write_bytes(b"\xff\xfe")
    for name, region in _REGIONS.items():
        _write_labels(folder / name, region)
    _write_labels(folder / "other_size.json", [_INSIDE], size=99)
    _write_labels(folder / "other_images.json", [_INSIDE], image_id=100)


def _with(cube: np.ndarray, measurement: int, value: float) -> np.ndarray:
    changed = cube.copy()
    changed[measurement, 3, 4, 1] = value
    return changed


def _write(path: Path, arrays: dict[str, np.ndarray], **changes: np.ndarray) -> None:
    np.savez(path, **(arrays | changes))


def _write_labels(path: Path, region: object, *, image_id: int = 0, size: int = _SIZE) -> None:
    document = {
        "images": [{"id": image_id, "height": size, "width": size}],
        "annotations": [{"id": 1, "image_id": image_id, "category_id": 2, "segmentation": region}],
    }
    path.write_text(json.dumps(document))
