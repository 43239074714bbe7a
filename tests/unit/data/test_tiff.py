"""TIFF images."""

import numpy as np
import pytest
import tifffile

from fleet_platform.errors import InvalidInput


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("suffix", [".tif", ".TIFF"])
def test_pages_are_bands(data_dir, open_file, cube, byteorder, suffix):
    path = data_dir / f"scene{suffix}"
    tifffile.imwrite(path, np.moveaxis(cube, 2, 0), byteorder=byteorder, photometric="minisblack")
    measurement = open_file(path.name).read(0)
    np.testing.assert_array_equal(measurement.cube_HWC, cube)
    assert measurement.cube_HWC.dtype == np.uint16
    assert measurement.cube_HWC.dtype.isnative
    assert not measurement.wavelengths_known


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_samples_of_one_page_are_bands_as_well(data_dir, open_file, cube, planar):
    image = cube if planar == "contig" else np.moveaxis(cube, 2, 0)
    tifffile.imwrite(data_dir / "scene.tif", image, photometric="minisblack", planarconfig=planar)
    np.testing.assert_array_equal(open_file("scene.tif").read(0).cube_HWC, cube)


def test_pages_written_separately_are_one_cube(data_dir, open_file, cube):
    with tifffile.TiffWriter(data_dir / "scene.tif") as writer:
        for band in range(cube.shape[2]):
            writer.write(cube[:, :, band], contiguous=False)
    np.testing.assert_array_equal(open_file("scene.tif").read(0).cube_HWC, cube)


def test_a_single_page_is_one_band(data_dir, open_file, cube):
    tifffile.imwrite(data_dir / "scene.tif", cube[:, :, 0])
    np.testing.assert_array_equal(open_file("scene.tif").read(0).cube_HWC, cube[:, :, :1])


def test_pages_of_different_sizes_are_refused(data_dir, open_file):
    with tifffile.TiffWriter(data_dir / "scene.tif") as writer:
        writer.write(np.zeros((4, 4), np.uint16))
        writer.write(np.zeros((5, 4), np.uint16))
    with pytest.raises(InvalidInput, match="pages differ in size"):
        open_file("scene.tif")


@pytest.mark.parametrize("length", [0, 6, 100])
def test_a_truncated_file_is_refused(data_dir, open_file, cube, length):
    path = data_dir / "scene.tif"
    tifffile.imwrite(path, np.moveaxis(cube, 2, 0), photometric="minisblack")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InvalidInput, match=r"'scene\.tif' cannot be read"):
        open_file("scene.tif").read(0)
