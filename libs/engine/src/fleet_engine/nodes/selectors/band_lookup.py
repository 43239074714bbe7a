"""Finds bands by wavelength."""

from collections.abc import Sequence

Window = tuple[float, float]
"""Lower and upper wavelength, nm, both included."""

Windows = tuple[Window, Window, Window]
"""One window for each channel of an image."""


def nearest_band(wavelengths_nm: Sequence[float], target_nm: float) -> int:
    """Return the band whose wavelength is nearest; the first of several."""
    return min(range(len(wavelengths_nm)), key=lambda band: abs(wavelengths_nm[band] - target_nm))


def bands_in_window(wavelengths_nm: Sequence[float], window: Window) -> list[int]:
    """Return the bands inside, or where there is none, the one nearest to the window's middle."""
    low, high = window
    inside = [band for band, nm in enumerate(wavelengths_nm) if low <= nm <= high]
    return inside or [nearest_band(wavelengths_nm, (low + high) / 2)]


def as_lists(windows: Windows) -> list[list[float]]:
    """Return the windows as YAML and `band_info` hold them.

    Raises:
        ValueError: a window whose lower end is above its upper one.
    """
    for low, high in windows:
        if low > high:
            raise ValueError(
                f"hparam 'windows' holds ({low}, {high}); right is (lower nm, upper nm)"
            )
    return [[float(low), float(high)] for low, high in windows]
