"""ENVI images."""

import numpy as np
import pytest
from spectral.io import envi

from fleet_platform.errors import InvalidInput

NM = [450.0, 550.5, 650.0, 750.0]
HEADER = (
    b"ENVI\nsamples = %s\nlines = 2\nbands = 2\ndata type = %s\nbyte order = 0\ninterleave = %s\n"
)


def save(path, cube, *, wavelengths=NM, units="Nanometers", **more):
    metadata = {"wavelength": wavelengths, "wavelength units": units} if wavelengths else {}
    envi.save_image(str(path), cube, metadata=metadata, ext=".img", **more)


@pytest.mark.parametrize("interleave", ["bil", "bip", "bsq"])
@pytest.mark.parametrize("byteorder", [0, 1])
def test_every_interleave_and_byte_order_reads_as_stored(
    data_dir, open_file, cube, interleave, byteorder
):
    save(data_dir / "scene.hdr", cube, interleave=interleave, byteorder=byteorder)
    measurement = open_file("scene.hdr").read(0)
    np.testing.assert_array_equal(measurement.cube_HWC, cube)
    assert measurement.cube_HWC.dtype == np.uint16
    assert measurement.cube_HWC.dtype.isnative
    np.testing.assert_array_equal(measurement.wavelengths_nm, NM)
    assert measurement.wavelengths_known


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8", "u2", "u4", "i8", "u8"])
def test_every_real_type_is_kept(data_dir, open_file, cube, dtype):
    save(data_dir / "scene.hdr", cube.astype(dtype), dtype=dtype)
    read = open_file("scene.hdr").read(0).cube_HWC
    assert read.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(read, cube)


def test_complex_values_are_refused(data_dir, open_file, cube):
    save(data_dir / "scene.hdr", cube.astype("c8"), dtype="c8")
    with pytest.raises(InvalidInput, match="type complex64"):
        open_file("scene.hdr").read(0)


@pytest.mark.parametrize(
    ("units", "wavelengths"),
    [
        ("Micrometers", [0.45, 0.5505, 0.65, 0.75]),
        ("um", [0.45, 0.5505, 0.65, 0.75]),
        ("nm", NM),
        ("Unknown", [0.45, 0.5505, 0.65, 0.75]),
        ("Unknown", NM),
        ("Angstroms", [4500, 5505, 6500, 7500]),
    ],
)
def test_wavelengths_are_converted_to_nanometres(data_dir, open_file, cube, units, wavelengths):
    save(data_dir / "scene.hdr", cube, units=units, wavelengths=wavelengths)
    measurement = open_file("scene.hdr").read(0)
    np.testing.assert_allclose(measurement.wavelengths_nm, NM)
    assert measurement.wavelengths_known


@pytest.mark.parametrize(
    "more", [{"wavelengths": None}, {"units": "Wavenumber"}, {"units": "Index"}]
)
def test_band_numbers_replace_unknown_wavelengths(data_dir, open_file, cube, more):
    save(data_dir / "scene.hdr", cube, **more)
    measurement = open_file("scene.hdr").read(0)
    assert not measurement.wavelengths_known
    np.testing.assert_array_equal(measurement.wavelengths_nm, [0, 1, 2, 3])


def test_a_classification_image_next_to_the_file_is_the_mask(data_dir, open_file, cube, mask):
    save(data_dir / "scene.hdr", cube)
    envi.save_classification(
        str(data_dir / "scene_truth.hdr"), mask.astype(np.uint8), class_names=["a", "b", "c"]
    )
    np.testing.assert_array_equal(open_file("scene.hdr").read(0).mask_HW, mask)


def test_raw_files_without_suffix_and_upper_case_headers_are_accepted(data_dir, open_file, cube):
    save(data_dir / "scene.hdr", cube)
    (data_dir / "scene.img").rename(data_dir / "scene")
    header = data_dir / "scene.hdr"
    header.write_text(header.read_text().replace("samples", "Samples"))
    header.rename(data_dir / "scene.HDR")
    np.testing.assert_array_equal(open_file("scene.HDR").read(0).cube_HWC, cube)


def test_truncated_values_are_detected(data_dir, open_file, cube):
    save(data_dir / "scene.hdr", cube)
    values = data_dir / "scene.img"
    values.write_bytes(values.read_bytes()[:-1])
    with pytest.raises(InvalidInput, match="fewer than the 5 x 7 pixels of 4 bands"):
        open_file("scene.hdr")


def test_a_header_without_values_is_refused(data_dir, open_file, cube):
    save(data_dir / "scene.hdr", cube)
    (data_dir / "scene.img").unlink()
    with pytest.raises(InvalidInput, match=r"the values \('scene' or with \.img"):
        open_file("scene.hdr")


def test_links_to_unreadable_folders_are_not_followed(data_dir, tmp_path, open_file, cube):
    save(data_dir / "scene.hdr", cube)
    outside = tmp_path / "secret.img"
    (data_dir / "scene.img").rename(outside)
    (data_dir / "scene.img").symlink_to(outside)
    with pytest.raises(InvalidInput, match="are missing") as error:
        open_file("scene.hdr")
    assert str(tmp_path) not in error.value.text


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00binary",
        b"not ENVI",
        b"ENVI\nsamples = 3\n",
        HEADER % (b"x", b"12", b"bsq"),
        HEADER % (b"2", b"99", b"bsq"),
        HEADER % (b"2", b"12", b"zzz"),
        b"ENVI\nsamples = {2\n",
    ],
)
def test_an_invalid_header_is_refused(data_dir, open_file, content):
    (data_dir / "scene.hdr").write_bytes(content)
    (data_dir / "scene.img").write_bytes(bytes(100))
    with pytest.raises(InvalidInput, match="not an ENVI image header"):
        open_file("scene.hdr")
