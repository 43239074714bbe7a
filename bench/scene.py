"""Synthetic measurements: a smooth background with a few bright targets, the same on every run."""

from pathlib import Path

import numpy as np

BANDS = 61
_SEED = 20240611


def wavelengths_nm() -> np.ndarray:
    """Band centres, int32 [C]."""
    return np.linspace(430, 910, BANDS).astype(np.int32)


def cube(side: int) -> np.ndarray:
    """One measurement, uint16 [1, side, side, C]."""
    random = np.random.default_rng(_SEED)
    spectra = random.uniform(2000, 20000, (4, BANDS))
    mixture = random.dirichlet(np.ones(4), (side, side)).astype(np.float32)
    clean = mixture @ spectra.astype(np.float32)
    noisy = clean + random.normal(0, 40, clean.shape).astype(np.float32)
    noisy[:: max(side // 8, 1), :: max(side // 8, 1)] += 9000
    return noisy.clip(0, 65535).astype(np.uint16)[None]


def write_training_data(path: Path, side: int, measurements: int) -> None:
    """Write labelled measurements as an ``.npz`` that the readers of the product take."""
    one = cube(side)[0]
    cubes = np.stack([np.roll(one, shift, axis=0) for shift in range(measurements)])
    masks = np.zeros(cubes.shape[:3], np.int32)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, cube=cubes, wavelengths=wavelengths_nm(), mask=masks)
