"""Previews of scenes: three of their bands as red, green and blue."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cuvis_fleet.pictures.canvas import image_axes, name_pixels

_INFRARED_NM = (860.0, 660.0, 560.0)
_VISIBLE_NM = (640.0, 550.0, 460.0)
_MAX_DISTANCE_NM = 25.0


def preview(
    cube_HWC: npt.ArrayLike,
    wavelengths_nm: npt.ArrayLike | None,
    *,
    rgb_nm: Sequence[float] | None = None,
    title: str = "",
) -> Figure:
    """Draw a cube in false colour.

    Args:
        cube_HWC: the cube.
        wavelengths_nm: wavelengths of its bands; None: unknown, shows equally spaced bands.
        rgb_nm: wavelengths to show as red, green and blue; the nearest bands are used. None: near
            infrared, red and green if the cube has them, else red, green and blue, else equally
            spaced bands.
        title: name of the scene.

    Raises:
        ValueError: the arrays do not fit together, or `rgb_nm` is given without wavelengths.
    """
    cube = np.asarray(cube_HWC)
    if cube.ndim != 3 or cube.size == 0:
        raise ValueError(f"the cube has the shape {cube.shape}; [H,W,C] is needed")
    figure, axes = image_axes(cube.shape[:2])
    draw_preview(axes, cube, wavelengths_nm, rgb_nm)
    if title:
        axes.set_title(f"{title}\n{axes.get_title()}")
    return figure


def draw_preview(
    axes: Axes,
    cube_HWC: npt.NDArray[Any],
    wavelengths_nm: npt.ArrayLike | None,
    rgb_nm: Sequence[float] | None = None,
) -> None:
    """Draw the preview into `axes`, with the shown bands as the title."""
    bands, text = choose_bands(cube_HWC.shape[2], wavelengths_nm, rgb_nm)
    axes.imshow(stretched(cube_HWC[:, :, bands].astype(np.float64)), interpolation="nearest")
    axes.set_title(text)
    name_pixels(axes)


def choose_bands(
    count: int, wavelengths_nm: npt.ArrayLike | None, rgb_nm: Sequence[float] | None = None
) -> tuple[list[int], str]:
    """Return the bands to show as red, green and blue, and a text that names them."""
    if wavelengths_nm is None:
        if rgb_nm is not None:
            raise ValueError("rgb_nm needs wavelengths_nm, which the scene lacks")
        bands = [int((count - 1) * position) for position in (0.75, 0.5, 0.25)]
        return bands, f"False colour: bands {bands[0]}, {bands[1]}, {bands[2]} (nm not known)"
    known = np.asarray(wavelengths_nm, np.float64).ravel()
    if known.size != count:
        raise ValueError(f"the cube has {count} bands, but there are {known.size} wavelengths")
    if rgb_nm is not None:
        return _nearest(known, rgb_nm, "False colour")
    for kind, wanted in (("False colour", _INFRARED_NM), ("True colour", _VISIBLE_NM)):
        if max(np.abs(known - nm).min() for nm in wanted) < _MAX_DISTANCE_NM:
            return _nearest(known, wanted, kind)
    ordered = np.sort(known)
    quarters = [float(ordered[int((count - 1) * position)]) for position in (0.75, 0.5, 0.25)]
    return _nearest(known, quarters, "False colour")


def stretched(planes_HWC: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Scale planes to 0 to 1, clipping the darkest and the brightest percent.

    All three share a black point, so that a plane that is dark overall stays dark.
    """
    finite = np.where(np.isfinite(planes_HWC), planes_HWC, np.nan)
    low = np.nanpercentile(finite, 1)
    high = np.nanpercentile(finite, 99, axis=(0, 1))
    scaled: npt.NDArray[np.float64] = (finite - low) / np.maximum(high - low, 1e-12)
    return np.nan_to_num(scaled).clip(0.0, 1.0)


def _nearest(
    known: npt.NDArray[np.float64], wanted: Sequence[float], kind: str
) -> tuple[list[int], str]:
    bands = [int(np.abs(known - nm).argmin()) for nm in wanted]
    red, green, blue = known[bands]
    return bands, f"{kind}: R {red:.0f}, G {green:.0f}, B {blue:.0f} nm"
