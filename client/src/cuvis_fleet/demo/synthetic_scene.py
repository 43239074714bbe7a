"""A synthetic scene with known anomalies, the same on every machine.

A linear mixture of four backgrounds with smoothly varying abundances, a track, uneven
illumination and camera noise, plus painted targets with a different spectrum, some smaller than a
pixel.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from spectral.io import envi

Array = npt.NDArray[np.float64]

NAME = "synthetic"
SIZE = 128
WAVELENGTHS_NM = np.linspace(430.0, 910.0, 61)
_COUNTS_PER_REFLECTANCE = 10_000.0
_SEED = 20_240_611


@dataclass(frozen=True)
class _Target:
    """A square of `side` pixels, of which paint covers the fraction `cover`."""

    row: int
    column: int
    side: int
    cover: float


_TARGETS = (
    _Target(16, 22, 3, 0.50),
    _Target(24, 96, 2, 0.40),
    _Target(34, 71, 1, 0.45),
    _Target(47, 112, 1, 0.30),
    _Target(55, 14, 2, 0.25),
    _Target(66, 88, 3, 0.30),
    _Target(81, 37, 1, 0.22),
    _Target(92, 104, 2, 0.16),
    _Target(104, 60, 4, 0.18),
    _Target(113, 18, 1, 0.15),
    _Target(117, 115, 2, 0.10),
)


def write_synthetic_scene(folder: Path) -> Path:
    """Write the scene as an ENVI image, and its truth as a classification image beside it.

    Args:
        folder: the folder, which is created if necessary.

    Returns:
        The path of the image's header.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cube, truth = make_synthetic_scene()
    header = folder / f"{NAME}.hdr"
    metadata = {
        "description": "Synthetic scene with painted targets, reflectance times 10000",
        "wavelength": [f"{wavelength:.1f}" for wavelength in WAVELENGTHS_NM],
        "wavelength units": "Nanometers",
    }
    envi.save_image(str(header), cube, metadata=metadata, interleave="bil", ext=".img", force=True)
    envi.save_classification(
        str(folder / f"{NAME}_truth.hdr"),
        truth.astype(np.uint8),
        class_names=["background", "painted target"],
        ext=".img",
        force=True,
    )
    return header


def make_synthetic_scene() -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.bool_]]:
    """Return the cube [H,W,C] in counts and the truth [H,W] of partly or fully covered pixels."""
    random = np.random.default_rng(_SEED)
    reflectance = _abundances(random) @ _background_spectra()
    truth = np.zeros((SIZE, SIZE), bool)
    for target in _TARGETS:
        square = np.s_[
            target.row : target.row + target.side, target.column : target.column + target.side
        ]
        paint = target.cover * _paint_spectrum()
        reflectance[square] = (1 - target.cover) * reflectance[square] + paint
        truth[square] = True
    light = 0.92 + 0.16 * _smooth(random, 24.0)
    counts = reflectance * light[:, :, None] * _COUNTS_PER_REFLECTANCE
    # Shot noise grows with the root of the signal; read noise is highest at both ends.
    read_noise = 25.0 + 60.0 * ((WAVELENGTHS_NM - 650.0) / 260.0) ** 4
    counts += random.normal(size=counts.shape) * np.sqrt(read_noise**2 + counts)
    return np.clip(np.rint(counts), 0, 65_535).astype(np.uint16), truth


def _abundances(random: np.random.Generator) -> Array:
    """Return the fraction of each pixel that each background covers [H,W,4]; the sum is 1."""
    fields = np.stack([_smooth(random, scale) for scale in (9.0, 7.0, 12.0, 5.0)], axis=-1)
    strengths = 7.0 * fields + 0.4 * random.normal(size=fields.shape)
    row, column = np.mgrid[:SIZE, :SIZE]
    from_track = np.abs(column - 34.0 - 0.5 * row - 9.0 * np.sin(row / 19.0))
    strengths[:, :, 3] += 7.0 / (1 + np.exp((from_track - 2.5) / 0.5))
    weights = np.exp(strengths)
    abundances: Array = weights / weights.sum(axis=-1, keepdims=True)
    return abundances


def _smooth(random: np.random.Generator, scale: float) -> Array:
    """Return a random field [H,W] between 0 and 1 that varies over `scale` pixels."""
    field: Array = gaussian_filter(random.normal(size=(SIZE, SIZE)), scale, mode="reflect")
    scaled: Array = (field - field.min()) / (field.max() - field.min())
    return scaled


def _background_spectra() -> Array:
    """Return the reflectance of leaves, dry grass, soil and gravel [4,C]."""
    w = WAVELENGTHS_NM
    red_edge = 1 / (1 + np.exp(-(w - 718.0) / 14.0))
    leaves = 0.035 + 0.065 * _bell(550.0, 32.0) - 0.012 * _bell(675.0, 18.0) + 0.44 * red_edge
    dry_grass = 0.10 + 0.28 / (1 + np.exp(-(w - 640.0) / 75.0)) - 0.02 * _bell(672.0, 14.0)
    soil = 0.06 + 0.22 * ((w - 430.0) / 480.0) ** 0.8 - 0.018 * _bell(870.0, 45.0)
    gravel = 0.21 + 0.05 * (w - 430.0) / 480.0 - 0.01 * _bell(500.0, 40.0)
    return np.stack([leaves, dry_grass, soil, gravel])


def _paint_spectrum() -> Array:
    """Return the reflectance [C] of a blue-green paint that rises in the near infrared."""
    near_infrared = 0.24 / (1 + np.exp(-(WAVELENGTHS_NM - 790.0) / 16.0))
    return 0.07 + 0.30 * _bell(485.0, 38.0) + near_infrared


def _bell(centre_nm: float, width_nm: float) -> Array:
    bell: Array = np.exp(-0.5 * ((WAVELENGTHS_NM - centre_nm) / width_nm) ** 2)
    return bell
