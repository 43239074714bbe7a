"""Finds bands by wavelength."""

from collections.abc import Sequence

Window = tuple[float, float]
"""Lower and upper wavelength, nm, both inclusive."""

Windows = tuple[Window, Window, Window]
"""One window for each channel of an image."""


def nearest_band(wavelengths_nm: Sequence[float], target_nm: float) -> int:
    """Return the band with the nearest wavelength, or the first of several."""
    return min(range(len(wavelengths_nm)), key=lambda band: abs(wavelengths_nm[band] - target_nm))


def bands_in_window(wavelengths_nm: Sequence[float], window: Window) -> list[int]:
    """Return the bands inside a window, or the one nearest to its middle if it is empty."""
    low, high = window
    inside = [band for band, nm in enumerate(wavelengths_nm) if low <= nm <= high]
    return inside or [nearest_band(wavelengths_nm, (low + high) / 2)]


def as_lists(windows: Windows) -> list[list[float]]:
    """Return the windows as lists, as in YAML and `band_info`.

    Raises:
        ValueError: the lower end of a window is above its upper end.
    """
    for low, high in windows:
        if low > high:
            raise ValueError(
                f"hparam 'windows' contains ({low}, {high}); a window must be (lower nm, upper nm)"
            )
    return [[float(low), float(high)] for low, high in windows]
