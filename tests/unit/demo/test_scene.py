"""Reading and staging scenes."""

import numpy as np
import pytest
from scipy.io import savemat
from spectral.io import envi

from cuvis_fleet.demo.scene import read_scene
from cuvis_fleet.demo.staging import stage
from cuvis_fleet.demo.synthetic_scene import (
    WAVELENGTHS_NM,
    make_synthetic_scene,
    write_synthetic_scene,
)
from cuvis_fleet.formats import UnreadableScene

CUBE = np.arange(5 * 7 * 4, dtype=np.uint16).reshape(5, 7, 4)
TRUTH = (np.arange(35) % 9 == 0).reshape(5, 7)


def test_the_synthetic_scene_is_the_same_every_time(tmp_path):
    cube, truth = make_synthetic_scene()
    again, _ = make_synthetic_scene()
    np.testing.assert_array_equal(cube, again)
    assert cube.dtype == np.uint16
    assert cube.shape == (*truth.shape, len(WAVELENGTHS_NM))
    scene = read_scene(write_synthetic_scene(tmp_path))
    np.testing.assert_array_equal(scene.cubes_NHWC[0], cube)
    np.testing.assert_array_equal(scene.truth_NHW[0], truth)
    np.testing.assert_allclose(scene.wavelengths_nm, WAVELENGTHS_NM, atol=0.05)


@pytest.mark.parametrize("interleave", ["bil", "bip", "bsq"])
@pytest.mark.parametrize(
    ("units", "per_nm"), [("Nanometers", 1), ("Micrometers", 1e-3), ("", 1e-3)]
)
def test_envi_is_read_with_wavelengths_in_nanometres(tmp_path, interleave, units, per_nm):
    nm = np.array([450.0, 550.0, 650.0, 750.0])
    metadata = {"wavelength": list(nm * per_nm), "wavelength units": units}
    header = tmp_path / "a.hdr"
    envi.save_image(str(header), CUBE, interleave=interleave, metadata=metadata, byteorder=1)
    scene = read_scene(header)
    np.testing.assert_array_equal(scene.cubes_NHWC[0], CUBE)
    assert scene.cubes_NHWC.dtype.isnative
    np.testing.assert_allclose(scene.wavelengths_nm, nm)
    assert scene.truth_NHW is None


@pytest.mark.parametrize("name", ["map", "anything"])
def test_mat_is_read_with_its_truth(tmp_path, name):
    savemat(tmp_path / "a.mat", {"data": CUBE, name: TRUTH.astype(np.uint8)})
    scene = read_scene(tmp_path / "a.mat")
    np.testing.assert_array_equal(scene.cubes_NHWC[0], CUBE)
    np.testing.assert_array_equal(scene.truth_NHW[0], TRUTH)
    assert scene.wavelengths_nm is None


def test_numpy_files_are_read(tmp_path):
    np.savez(tmp_path / "a.npz", cube=np.stack([CUBE] * 2), mask=np.stack([TRUTH] * 2))
    np.save(tmp_path / "b.npy", CUBE)
    assert read_scene(tmp_path / "a.npz").truth_NHW.shape == (2, 5, 7)
    assert read_scene(tmp_path / "b.npy").cubes_NHWC.shape == (1, 5, 7, 4)


@pytest.mark.parametrize("mask", [np.zeros((5, 7)), np.ones((5, 7))])
def test_a_truth_with_only_one_class_is_ignored(tmp_path, mask):
    np.savez(tmp_path / "a.npz", cube=CUBE, mask=mask)
    assert read_scene(tmp_path / "a.npz").truth_NHW is None


def test_the_error_for_an_unsupported_scene_names_the_reason(tmp_path):
    np.save(tmp_path / "nan.npy", np.full((2, 2, 2), np.nan))
    np.save(tmp_path / "flat.npy", np.zeros((2, 2)))
    np.save(tmp_path / "complex.npy", np.zeros((2, 2, 2), complex))
    (tmp_path / "a.mat").write_bytes(b"no such thing")
    (tmp_path / "a.npz").write_bytes(b"no such thing")
    (tmp_path / "a.hdr").write_text("no such thing")
    savemat(tmp_path / "two.mat", {"a": CUBE, "b": CUBE})
    for name, text in {
        "a.jpg": "unknown format",
        "b.hdr": "does not exist",
        "nan.npy": "not finite",
        "flat.npy": "height, width and bands",
        "complex.npy": "has the type complex128",
        "a.mat": "cannot be read",
        "a.npz": "cannot be read",
        "a.hdr": "cannot be read",
        "two.mat": "keep one, or name it",
    }.items():
        with pytest.raises(UnreadableScene, match=text):
            read_scene(tmp_path / name)


def test_staging_copies_under_a_plain_name_and_leaves_the_original(tmp_path):
    original = tmp_path / "my scene (1).NPY"
    np.save(original.with_suffix(".npy"), CUBE)
    original.with_suffix(".npy").rename(original)
    served = stage(original, tmp_path / "data")
    assert served == "demo/my_scene__1_.npy"
    copy = tmp_path / "data" / served
    assert copy.read_bytes() == original.read_bytes()
    assert list(copy.parent.iterdir()) == [copy]


def test_staging_copies_all_files_of_an_envi_scene(tmp_path):
    header = write_synthetic_scene(tmp_path / "own")
    header.with_suffix(".img").rename(header.with_suffix(".DAT"))
    served = stage(header, tmp_path / "data")
    scene = read_scene(tmp_path / "data" / served)
    assert scene.truth_NHW is not None
    np.testing.assert_array_equal(scene.cubes_NHWC[0], make_synthetic_scene()[0])


def test_staging_an_already_staged_scene_changes_nothing(tmp_path):
    header = write_synthetic_scene(tmp_path / "demo")
    before = {path: path.stat().st_mtime_ns for path in header.parent.iterdir()}
    assert stage(header, tmp_path) == "demo/synthetic.hdr"
    assert {path: path.stat().st_mtime_ns for path in header.parent.iterdir()} == before


def test_staging_without_a_data_file_or_space_is_reported(tmp_path):
    (tmp_path / "a.hdr").write_text("ENVI")
    with pytest.raises(UnreadableScene, match=r"is missing \(a\.img\)"):
        stage(tmp_path / "a.hdr", tmp_path / "data")
    np.save(tmp_path / "b.npy", CUBE)
    (tmp_path / "file").touch()
    with pytest.raises(UnreadableScene, match="cannot be copied to"):
        stage(tmp_path / "b.npy", tmp_path / "file")
