"""`.npy` and `.npz`."""

import pickle
import zipfile

import numpy as np
import pytest

from fleet_platform.errors import InvalidInput

WAVELENGTHS = np.array([450.4, 550.6, 650.0, 750.0])


def test_npz_contains_several_measurements_with_wavelengths_and_masks(
    data_dir, open_file, cube, mask
):
    cubes, masks = np.stack([cube, cube + 1000]), np.stack([mask, mask + 5])
    np.savez(data_dir / "scene.npz", cube=cubes, wavelengths=WAVELENGTHS, mask=masks)
    measurements = open_file("scene.npz")
    assert len(measurements) == 2
    second = measurements.read(1)
    np.testing.assert_array_equal(second.cube_HWC, cubes[1])
    np.testing.assert_array_equal(second.wavelengths_nm, WAVELENGTHS)
    np.testing.assert_array_equal(second.mask_HW, masks[1])
    assert second.wavelengths_known
    assert second.cube_HWC.dtype == np.uint16
    assert second.mask_HW.dtype == np.int32


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npz_reads_the_same_with_any_compression_and_order(data_dir, open_file, cube, save, order):
    cubes = np.asarray(np.stack([cube, cube + 1]), order=order)
    save(data_dir / "scene.npz", cube=cubes)
    np.testing.assert_array_equal(open_file("scene.npz").read(1).cube_HWC, cube + 1)


def test_npz_of_one_cube_is_one_measurement(data_dir, open_file, cube, mask):
    np.savez(data_dir / "scene.npz", cube=cube, mask=mask.astype(bool))
    measurements = open_file("scene.npz")
    assert len(measurements) == 1
    measurement = measurements.read(0)
    np.testing.assert_array_equal(measurement.cube_HWC, cube)
    np.testing.assert_array_equal(measurement.mask_HW, mask != 0)


def test_npz_reads_only_the_requested_measurement(data_dir, open_file):
    cube = np.arange(100_000, dtype=np.uint32).reshape(50, 500, 4)
    path = data_dir / "scene.npz"
    np.savez(path, cube=np.stack([cube, cube + 1]))
    content = bytearray(path.read_bytes())
    start = content.index((cube + 1).tobytes())
    content[start] ^= 0xFF  # damages the second measurement, and so the archive's checksum
    path.write_bytes(content)
    np.testing.assert_array_equal(open_file("scene.npz").read(0).cube_HWC, cube)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<u2", ">f4"])
def test_npz_is_read_in_any_order(data_dir, open_file, cube, mask, save, order, dtype):
    cubes = np.asarray(np.stack([cube + 10 * i for i in range(4)]), dtype=dtype, order=order)
    save(data_dir / "scene.npz", cube=cubes, mask=np.stack([mask + i for i in range(4)]))
    measurements = open_file("scene.npz")
    for index in (2, 3, 0, 0, 1, 3):
        measurement = measurements.read(index)
        np.testing.assert_array_equal(measurement.cube_HWC, cubes[index])
        np.testing.assert_array_equal(measurement.mask_HW, mask + index)


def test_compressed_measurements_in_ascending_order_are_decompressed_once(
    data_dir, open_file, cube, monkeypatch
):
    np.savez_compressed(data_dir / "scene.npz", cube=np.stack([cube] * 6))
    measurements = open_file("scene.npz")
    opened = []
    unpacking = zipfile.ZipFile.open

    def counted(archive, *arguments):
        opened.append(1)
        return unpacking(archive, *arguments)

    monkeypatch.setattr(zipfile.ZipFile, "open", counted)
    for index in (0, 1, 2, 4, 5):
        measurements.read(index)
    assert len(opened) == 1
    measurements.read(3)
    assert len(opened) == 2


def test_npy_is_mapped_and_band_numbers_replace_wavelengths(data_dir, open_file, cube):
    np.save(data_dir / "scene.npy", cube)
    measurement = open_file("scene.npy").read(0)
    np.testing.assert_array_equal(measurement.cube_HWC, cube)
    assert isinstance(measurement.cube_HWC, np.memmap)
    assert not measurement.wavelengths_known
    np.testing.assert_array_equal(measurement.wavelengths_nm, [0, 1, 2, 3])
    assert measurement.mask_HW is None


def test_big_endian_values_become_native(data_dir, open_file, cube):
    np.save(data_dir / "scene.npy", cube.astype(">u2"))
    read = open_file("scene.npy").read(0).cube_HWC
    assert read.dtype == np.uint16
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, cube)


class _Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_pickles_are_never_loaded(data_dir, open_file, suffix):
    bomb = np.empty((1, 1, 1), object)
    bomb[0, 0, 0] = _Bomb()
    path = data_dir / f"bomb{suffix}"
    if suffix == ".npy":
        np.save(path, bomb, allow_pickle=True)
    else:
        np.savez(path, cube=bomb)
    with pytest.raises(InvalidInput, match=f"'bomb{suffix}' cannot be read"):
        open_file(path.name)


def test_a_bare_pickle_under_the_suffix_is_refused(data_dir, open_file):
    (data_dir / "bomb.npy").write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(InvalidInput, match=r"not a complete \.npy file"):
        open_file("bomb.npy")


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"image": np.zeros((2, 2, 2))}, "no array 'cube', only image"),
        ({"cube": np.zeros((2, 2))}, "'cube' \\[N,H,W,C\\]"),
        ({"cube": np.zeros((0, 2, 2, 2))}, "'cube' \\[N,H,W,C\\]"),
        ({"cube": np.zeros((2, 2, 2)), "mask": np.zeros((2, 3), int)}, r"mask is for .*\(2, 3\)"),
        ({"cube": np.zeros((2, 2, 2), complex)}, "type complex128"),
        ({"cube": np.zeros((2, 2, 2)), "wavelengths": np.zeros(3)}, "2 bands but 3 wavelengths"),
        (
            {"cube": np.zeros((2, 2, 2)), "wavelengths": np.array([1.0, np.nan])},
            "not all finite",
        ),
        ({"cube": np.zeros((2, 2, 2)), "wavelengths": np.array(["a", "b"])}, "not numbers"),
        ({"cube": np.zeros((2, 2, 2)), "mask": np.full((2, 2), 0.5)}, "not whole numbers"),
        ({"cube": np.zeros((2, 2, 2)), "mask": np.full((2, 2), 2**40)}, "not whole numbers"),
    ],
)
def test_an_invalid_npz_is_described(data_dir, open_file, arrays, text):
    np.savez(data_dir / "scene.npz", **arrays)
    with pytest.raises(InvalidInput, match=text) as error:
        open_file("scene.npz").read(0)
    assert "'scene.npz'" in error.value.text
    assert str(data_dir) not in error.value.text


def test_a_truncated_file_is_refused(data_dir, open_file, cube):
    np.save(data_dir / "a.npy", cube)
    np.savez(data_dir / "a.npz", cube=cube)
    for path in list(data_dir.iterdir()):
        path.write_bytes(path.read_bytes()[:200])
        with pytest.raises(InvalidInput, match="not a complete"):
            open_file(path.name)


def test_missing_values_inside_an_archive_are_detected(data_dir, open_file, cube):
    np.save(data_dir / "cube.npy", np.stack([cube, cube]))
    with zipfile.ZipFile(data_dir / "scene.npz", "w") as archive:
        archive.writestr("cube.npy", (data_dir / "cube.npy").read_bytes()[:-10])
    measurements = open_file("scene.npz")
    np.testing.assert_array_equal(measurements.read(0).cube_HWC, cube)
    with pytest.raises(InvalidInput, match="measurement 1 is truncated"):
        measurements.read(1)
