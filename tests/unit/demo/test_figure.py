"""What the picture says about its bands."""

import numpy as np
import pytest

from cuvis_fleet.demo.figure import choose_bands
from cuvis_fleet.demo.scene import Scene


@pytest.mark.parametrize(
    ("wavelengths_nm", "bands", "title"),
    [
        (np.linspace(430, 910, 61), [54, 29, 16], "False colour: R 862, G 662, B 558 nm"),
        (np.linspace(400, 700, 31), [24, 15, 6], "True colour: R 640, G 550, B 460 nm"),
        (np.linspace(1000, 2500, 16), [11, 7, 3], "False colour: R 2100, G 1700, B 1300 nm"),
        (None, [7, 5, 2], "False colour: bands 7, 5, 2 (wavelengths unknown)"),
        (np.array([500.0]), [0, 0, 0], "False colour: R 500, G 500, B 500 nm"),
    ],
)
def test_bands_are_chosen_by_wavelength_and_told(wavelengths_nm, bands, title):
    count = 11 if wavelengths_nm is None else len(wavelengths_nm)
    scene = Scene("x", np.zeros((1, 2, 2, count)), wavelengths_nm, None)
    assert choose_bands(scene) == (bands, title)
