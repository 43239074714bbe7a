"""MATLAB files."""

import numpy as np
import pytest
from scipy.io import savemat

from fleet_platform.errors import InvalidInput


def test_the_variable_of_three_dimensions_is_the_cube(data_dir, open_file, cube, mask):
    savemat(
        data_dir / "scene.mat",
        {"reflectance": cube, "map": mask.astype(np.uint8), "wavelengths": [1.5, 2, 3, 4]},
        do_compression=True,
    )
    measurements = open_file("scene.mat")
    assert len(measurements) == 1
    measurement = measurements.read(0)
    np.testing.assert_array_equal(measurement.cube_HWC, cube)
    assert measurement.cube_HWC.dtype == np.uint16
    np.testing.assert_array_equal(measurement.mask_HW, mask)
    np.testing.assert_array_equal(measurement.wavelengths_nm, [1.5, 2, 3, 4])
    assert measurement.wavelengths_known


def test_a_mask_of_doubles_is_accepted_under_a_known_name(data_dir, open_file, cube, mask):
    savemat(data_dir / "scene.mat", {"data": cube, "gt": mask.astype(float)})
    measurement = open_file("scene.mat").read(0)
    np.testing.assert_array_equal(measurement.mask_HW, mask)
    assert not measurement.wavelengths_known


@pytest.mark.parametrize(
    "more",
    [
        {"other": np.zeros((9, 9), np.uint8)},
        {"quality": np.zeros((5, 7))},
        {"one": np.zeros((5, 7), np.uint8), "two": np.ones((5, 7), np.uint8)},
    ],
)
def test_unsuitable_variables_are_not_masks(data_dir, open_file, cube, more):
    savemat(data_dir / "scene.mat", {"data": cube, **more})
    assert open_file("scene.mat").read(0).mask_HW is None


def test_the_only_integer_variable_of_the_same_size_is_the_mask(data_dir, open_file, cube, mask):
    savemat(data_dir / "scene.mat", {"data": cube, "planes": mask})
    np.testing.assert_array_equal(open_file("scene.mat").read(0).mask_HW, mask)


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"a": np.zeros((2, 2, 2)), "b": np.zeros((2, 2, 2))}, "2 numeric .*: a, b; keep only one"),
        ({"a": np.zeros((2, 2))}, "no numeric variable with three dimensions"),
    ],
)
def test_a_file_without_a_unique_cube_is_refused(data_dir, open_file, variables, text):
    savemat(data_dir / "scene.mat", variables)
    with pytest.raises(InvalidInput, match=text):
        open_file("scene.mat")


def test_version_7_3_is_refused_with_advice(data_dir, open_file):
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (data_dir / "scene.mat").write_bytes(header.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InvalidInput, match=r"7\.3.*'-v7'"):
        open_file("scene.mat")


@pytest.mark.parametrize("length", [0, 60, 300])
def test_a_truncated_file_is_refused(data_dir, open_file, cube, length):
    path = data_dir / "scene.mat"
    savemat(path, {"data": cube})
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InvalidInput, match=r"'scene.mat' cannot be read"):
        open_file("scene.mat").read(0)
