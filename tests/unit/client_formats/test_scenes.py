"""Scene files of each format, read by the client and by the server's readers."""

import numpy as np
import pytest
from scipy.io import savemat
from spectral.io import envi

from cuvis_fleet.formats import (
    Scene,
    UnreadableScene,
    UnwritableFile,
    convert,
    read_scene,
    read_scenes,
    write_scene,
    write_scenes,
)
from fleet_engine.data import open_measurements
from fleet_platform.files import PathPolicy
from fleet_schemas import DataConfig

KINDS = [".npz", ".npy", ".hdr", ".mat", ".tif"]
NM = np.array([450.25, 550.0, 650.0, 750.0])


def scene(dtype="uint16", **changes):
    cube = (np.arange(5 * 7 * 4).reshape(5, 7, 4) * 3).astype(dtype)
    mask = (np.arange(35) % 9 == 0).reshape(5, 7) * 2
    return Scene(**{"cube_HWC": cube, "wavelengths_nm": NM, "mask_HW": mask, "name": "a"} | changes)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("suffix", KINDS)
def test_scenes_survive_a_round_trip(tmp_path, suffix, dtype):
    written = scene(dtype)
    lost = write_scene(written, tmp_path / f"a{suffix}")
    back = read_scene(tmp_path / f"a{suffix}")
    assert back.name == "a"
    assert back.cube_HWC.dtype == written.cube_HWC.dtype
    np.testing.assert_array_equal(back.cube_HWC, written.cube_HWC)
    if suffix in {".npy", ".tif"}:
        assert lost == ("wavelengths", "mask")
        assert back.wavelengths_nm is None
        assert back.mask_HW is None
        np.testing.assert_array_equal(back.sent_wavelengths, [0, 1, 2, 3])
    else:
        assert lost == ()
        np.testing.assert_allclose(back.wavelengths_nm, NM)
        np.testing.assert_array_equal(back.mask_HW, written.mask_HW)


@pytest.mark.parametrize("suffix", KINDS)
def test_servers_read_the_same_scene(tmp_path, suffix):
    write_scene(scene(), tmp_path / f"a{suffix}")
    here = read_scene(tmp_path / f"a{suffix}")
    elsewhere = tmp_path / "elsewhere"
    policy = PathPolicy(
        working_dir=elsewhere, configs_dir=elsewhere, data_dir=tmp_path, output_dir=elsewhere
    )
    config = DataConfig(cu3s_file_path=f"a{suffix}", annotation_json_path=None)
    there = open_measurements(config, policy).read(0)
    np.testing.assert_array_equal(there.cube_HWC, here.cube_HWC)
    np.testing.assert_array_equal(there.wavelengths_nm, here.sent_wavelengths)
    assert (there.mask_HW is None) == (here.mask_HW is None)


@pytest.mark.parametrize("shape", [(1, 7, 4), (5, 1, 4), (5, 7, 1), (5, 7, 3)])
@pytest.mark.parametrize("suffix", [".npz", ".npy", ".hdr", ".tif"])
def test_thin_cubes_and_those_like_colour_images_keep_their_axes(tmp_path, suffix, shape):
    cube = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    write_scene(Scene(cube), tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(read_scene(tmp_path / f"a{suffix}").cube_HWC, cube)


@pytest.mark.parametrize(
    ("units", "per_nm"), [("Nanometers", 1), ("Micrometers", 1e-3), ("", 1e-3), ("Angstroms", 10)]
)
def test_envi_wavelengths_are_nanometres(tmp_path, units, per_nm):
    metadata = {"wavelength": list(NM * per_nm), "wavelength units": units}
    envi.save_image(str(tmp_path / "a.hdr"), scene().cube_HWC, metadata=metadata, byteorder=1)
    read = read_scene(tmp_path / "a.hdr")
    np.testing.assert_allclose(read.wavelengths_nm, NM)
    assert read.cube_HWC.dtype.isnative


def test_given_wavelengths_replace_missing_ones(tmp_path):
    np.save(tmp_path / "a.npy", scene().cube_HWC)
    np.testing.assert_array_equal(
        read_scene(tmp_path / "a.npy", wavelengths_nm=NM).wavelengths_nm, NM
    )
    with pytest.raises(UnreadableScene, match="4 bands, but there are 3 wavelengths"):
        read_scene(tmp_path / "a.npy", wavelengths_nm=NM[:3])


def test_several_measurements_are_written_together_or_individually(tmp_path):
    other = scene(cube_HWC=scene().cube_HWC + 1)
    write_scenes([scene(), other], tmp_path / "a.npz")
    assert len(read_scenes(tmp_path / "a.npz")) == 2
    np.testing.assert_array_equal(read_scene(tmp_path / "a.npz", 1).cube_HWC, other.cube_HWC)
    with pytest.raises(UnreadableScene, match="no measurement 2; it has 0 to 1"):
        read_scene(tmp_path / "a.npz", 2)
    with pytest.raises(UnwritableFile, match="holds one measurement, not 2"):
        convert(tmp_path / "a.npz", tmp_path / "a.hdr")
    assert convert(tmp_path / "a.npz", tmp_path / "a.hdr", measurement=1) == ()
    np.testing.assert_array_equal(read_scene(tmp_path / "a.hdr").cube_HWC, other.cube_HWC)
    with pytest.raises(UnwritableFile, match="is the source; choose another name"):
        convert(tmp_path / "a.npz", tmp_path / "a.npz")
    with pytest.raises(UnwritableFile, match="must have the same size"):
        write_scenes([scene(), scene(wavelengths_nm=None)], tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"cube_HWC": np.zeros((5, 7))}, r"has the shape \(5, 7\); height, width and bands"),
        ({"cube_HWC": np.zeros((5, 7, 4), complex)}, "has the type complex128"),
        ({"wavelengths_nm": NM[:2]}, "4 bands, but there are 2 wavelengths"),
        ({"wavelengths_nm": ["a"] * 4}, "not numbers"),
        ({"wavelengths_nm": [1, 2, 3, np.nan]}, "not all finite"),
        ({"mask_HW": np.zeros((7, 5))}, r"mask has the shape \(7, 5\), the cube \(5, 7\)"),
        ({"mask_HW": np.full((5, 7), 0.5)}, "not 32-bit integers"),
    ],
)
def test_inconsistent_arrays_are_rejected(changes, text):
    with pytest.raises(ValueError, match=text):
        scene(**changes)


def test_an_error_in_reading_names_its_reason(tmp_path):
    np.save(tmp_path / "flat.npy", np.zeros((2, 2)))
    np.savez(tmp_path / "nocube.npz", image=np.zeros((2, 2, 2)))
    np.savez(tmp_path / "mask.npz", cube=np.zeros((2, 2, 2)), mask=np.zeros((3, 2)))
    for suffix in KINDS:
        (tmp_path / f"damaged{suffix}").write_bytes(b"no such thing")
    envi.save_image(str(tmp_path / "lost.hdr"), scene().cube_HWC)
    (tmp_path / "lost.img").unlink()
    envi.save_image(str(tmp_path / "short.hdr"), scene().cube_HWC)
    (tmp_path / "short.img").write_bytes(b"1234")
    savemat(tmp_path / "two.mat", {"a": scene().cube_HWC, "b": scene().cube_HWC})
    for name, text in {
        "a.jpg": r"unknown format \(.jpg\); supported: .npz, .npy, ENVI",
        "a.cu3s": "servers with Cubert's SDK read it",
        "missing.npz": "does not exist",
        "flat.npy": r"shape \(2, 2\); height, width and bands are needed",
        "nocube.npz": r"no array 'cube' \(its arrays: image\)",
        "mask.npz": "the mask has the shape",
        "lost.hdr": r"missing \(lost.img\)",
        "short.hdr": "cannot be read",
        "two.mat": (
            r"2 variables with height, width and bands \(a, b\); keep one, or name it 'cube'"
        ),
        **{f"damaged{suffix}": "cannot be read" for suffix in KINDS},
    }.items():
        with pytest.raises(UnreadableScene, match=text):
            read_scene(tmp_path / name)


def test_unsupported_data_is_rejected_and_no_file_remains(tmp_path):
    for name, given, text in [
        ("a.jpg", scene(), "unknown format"),
        ("a.hdr", scene("float16"), "ENVI does not support the type float16"),
        ("a.mat", scene("float16"), "MATLAB does not support float16"),
        ("a.mat", Scene(np.zeros((2, 2, 1))), "single band"),
        ("none/a.npz", scene(), "No such file or directory. No partial file remains"),
    ]:
        with pytest.raises(UnwritableFile, match=text):
            write_scene(given, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_existing_files_that_would_become_part_of_the_image_are_reported(tmp_path):
    (tmp_path / "a.dat").touch()
    with pytest.raises(UnwritableFile, match=r"a\.dat would be read as its data file"):
        write_scene(scene(), tmp_path / "a.hdr")
    write_scene(scene(), tmp_path / "b.hdr")
    with pytest.raises(UnwritableFile, match=r"b_truth\.hdr would be read as its truth"):
        write_scene(scene(mask_HW=None), tmp_path / "b.hdr")
    write_scene(scene(cube_HWC=scene().cube_HWC + 1), tmp_path / "b.hdr")
    assert read_scene(tmp_path / "b.hdr").cube_HWC[0, 0, 0] == 1
