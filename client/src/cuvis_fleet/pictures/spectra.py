"""Pictures of the spectra of pixels."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from cuvis_fleet.pictures.canvas import DASHES, LINES, label_ends, line_axes

Pixel = tuple[int, int]


def spectra(
    cube_HWC: npt.ArrayLike,
    wavelengths_nm: npt.ArrayLike | None,
    pixels: Mapping[str, Pixel] | Sequence[Pixel],
    *,
    title: str = "Spectra",
    values: str = "value as stored",
) -> Figure:
    """Draw the spectra of pixels, labelled at their ends, over the range of the whole scene.

    Args:
        cube_HWC: the cube.
        wavelengths_nm: wavelengths of its bands; None: unknown, band indices are shown.
        pixels: row and column of each pixel, by name or as a list.
        title: title of the picture.
        values: name of the cube's values, with their unit.

    Raises:
        ValueError: a pixel is outside of the cube, there are no pixels, or the arrays do not match.
    """
    cube = np.asarray(cube_HWC)
    named = _named(pixels)
    _check(cube, wavelengths_nm, named)
    bands = cube.shape[2]
    known = None if wavelengths_nm is None else np.asarray(wavelengths_nm, np.float64).ravel()
    x = np.arange(bands, dtype=np.float64) if known is None else known
    order = np.argsort(x)
    x = x[order]
    figure, axes = line_axes()
    low, high = np.nanpercentile(cube.reshape(-1, bands)[:, order], [5, 95], axis=0)
    axes.fill_between(x, low, high, color="0.88", linewidth=0, label="90 % of pixels")
    ends = []
    for index, (name, (row, column)) in enumerate(named.items()):
        colour = LINES[index % len(LINES)]
        dash = DASHES[index // len(LINES) % len(DASHES)]
        spectrum = cube[row, column, order].astype(np.float64)
        axes.plot(x, spectrum, color=colour, linestyle=dash, linewidth=1.8, label=name)
        ends.append((float(x[-1]), float(spectrum[-1]), name, colour))
    axes.set_xlabel("band" if known is None else "wavelength (nm)")
    axes.set_ylabel(values)
    axes.set_title(f"{title}\ngrey: 90 % of all pixels", fontsize=11)
    axes.set_xlim(x[0], x[-1] if bands > 1 else x[0] + 1)
    figure.draw_without_rendering()
    label_ends(axes, ends)
    return figure


def _named(pixels: Mapping[str, Pixel] | Sequence[Pixel]) -> dict[str, Pixel]:
    if isinstance(pixels, Mapping):
        return {
            f"{name} ({row}, {column})": (row, column) for name, (row, column) in pixels.items()
        }
    return {f"({row}, {column})": (row, column) for row, column in pixels}


def _check(
    cube: npt.NDArray[np.generic], wavelengths_nm: npt.ArrayLike | None, named: Mapping[str, Pixel]
) -> None:
    if cube.ndim != 3 or cube.size == 0:
        raise ValueError(f"the cube has the shape {cube.shape}; [H,W,C] is needed")
    if wavelengths_nm is not None and np.size(wavelengths_nm) != cube.shape[2]:
        raise ValueError(
            f"the cube has {cube.shape[2]} bands, but there are {np.size(wavelengths_nm)} "
            "wavelengths"
        )
    if not named:
        raise ValueError("pixels is empty; pass (row, column) of at least one pixel")
    height, width = cube.shape[:2]
    for row, column in named.values():
        if not (0 <= row < height and 0 <= column < width):
            raise ValueError(
                f"pixel ({row}, {column}) is outside of the cube; rows are 0 to {height - 1}, "
                f"columns 0 to {width - 1}"
            )
