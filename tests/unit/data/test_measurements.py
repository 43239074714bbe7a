"""Opening, numbers of measurements, batches."""

import numpy as np
import pytest
import torch

from fleet_engine.data import batches
from fleet_platform.errors import InvalidInput, NotFound


@pytest.fixture
def three(data_dir, open_file, cube, mask):
    np.savez(
        data_dir / "scene.npz",
        cube=np.stack([cube + 1000 * i for i in range(3)]),
        wavelengths=[450.4, 550.6, 650.0, 750.0],
        mask=np.stack([mask + i for i in range(3)]),
    )
    return open_file("data/scene.npz")


def test_batches_follow_the_order_of_the_numbers(three, cube, mask):
    first, last = batches(three, [2, 0, 1], 2)
    assert {name: value.dtype for name, value in first.items()} == {
        "cube": torch.uint16,
        "wavelengths": torch.int32,
        "mask": torch.int32,
        "mesu_index": torch.int64,
    }
    np.testing.assert_array_equal(first["cube"], np.stack([cube + 2000, cube]))
    np.testing.assert_array_equal(first["wavelengths"], [[450, 551, 650, 750]] * 2)
    np.testing.assert_array_equal(first["mask"], np.stack([mask + 2, mask]))
    assert first["mesu_index"].tolist() == [2, 0]
    assert last["mesu_index"].tolist() == [1]
    assert last["cube"].shape == (1, 5, 7, 4)


def test_unlabelled_measurements_have_no_mask(data_dir, open_file, cube):
    np.save(data_dir / "scene.npy", cube)
    (batch,) = batches(open_file("scene.npy"), [0], 4)
    assert set(batch) == {"cube", "wavelengths", "mesu_index"}


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "?", ">u2", ">f8"]
)
def test_values_reach_torch_as_stored(data_dir, open_file, cube, dtype):
    stored = (cube % 100).astype(dtype)
    np.save(data_dir / "scene.npy", stored)
    (batch,) = batches(open_file("scene.npy"), [0], 1)
    assert batch["cube"].numpy().dtype == stored.dtype.newbyteorder("=")
    np.testing.assert_array_equal(batch["cube"][0].numpy(), stored)


def test_writing_to_batches_does_not_change_the_file(data_dir, open_file, cube):
    np.save(data_dir / "scene.npy", cube)
    measurements = open_file("scene.npy")
    (batch,) = batches(measurements, [0], 1)
    batch["cube"].view(torch.int16).zero_()
    np.testing.assert_array_equal(measurements.read(0).cube_HWC, cube)


@pytest.mark.parametrize("ids", [[3], [0, -1]])
def test_numbers_out_of_range_are_named_before_anything_is_read(three, ids):
    with pytest.raises(InvalidInput, match=rf"no measurement {ids[-1]} in .*are 0 to 2"):
        batches(three, ids, 1)


def test_an_empty_list_of_numbers_is_refused(three):
    with pytest.raises(InvalidInput, match=r"No measurements of 'data/scene.npz' are chosen"):
        batches(three, [], 1)


def test_frames_of_different_sizes_cannot_be_batched(data_dir, open_file, monkeypatch, three):
    frames = {0: three.read(0), 1: three.read(1)}
    wider = np.zeros((5, 9, 4), np.uint16)
    object.__setattr__(frames[1], "cube_HWC", wider)
    monkeypatch.setattr(three, "read", frames.__getitem__)
    with pytest.raises(InvalidInput, match=r"Measurements 0 and 1 .*\(5, 7, 4\) and \(5, 9, 4\)"):
        list(batches(three, [0, 1], 2))
    assert len(list(batches(three, [0, 1], 1))) == 2


def test_an_unknown_kind_of_file_lists_the_known_ones(data_dir, open_file):
    (data_dir / "scene.jpg").touch()
    with pytest.raises(InvalidInput, match=r"'scene\.jpg' has an unknown format; supported:"):
        open_file("scene.jpg")


def test_a_missing_file_and_an_empty_path(open_file):
    with pytest.raises(NotFound, match=r"scene\.hdr"):
        open_file("scene.hdr")
    with pytest.raises(InvalidInput, match=r"set data.cu3s_file_path"):
        open_file("")


@pytest.mark.usefixtures("three")
def test_readers_accept_nan_values(data_dir, open_file):
    np.save(data_dir / "scene.npy", np.full((2, 2, 2), np.nan))
    assert np.isnan(open_file("scene.npy").read(0).cube_HWC).all()
