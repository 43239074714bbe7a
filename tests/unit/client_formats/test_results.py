"""Result files."""

import numpy as np
import pytest
from spectral.io import envi

from cuvis_fleet import Result
from cuvis_fleet.formats import UnwritableFile, write_result

SCORES = np.linspace(0, 9, 48, dtype=np.float32).reshape(1, 6, 8, 1)
RESULT = Result(
    {
        "detector.scores": SCORES,
        "decider.decisions": SCORES > 8,
        "selector.selected": np.repeat(SCORES, 3, axis=3),
        "loss.loss": np.float32([1]),
    }
)


def test_an_archive_has_all_outputs_or_the_chosen_one(tmp_path):
    write_result(RESULT, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        assert set(arrays) == set(RESULT)
        np.testing.assert_array_equal(arrays["detector.scores"], SCORES)
    write_result(RESULT, tmp_path / "b.npz", output="decisions")
    with np.load(tmp_path / "b.npz") as arrays:
        assert list(arrays) == ["decider.decisions"]


@pytest.mark.parametrize(
    ("output", "name", "bands"),
    [
        (None, "detector.scores", 1),
        ("decider.decisions", "decider.decisions", 1),
        ("selected", "selector.selected", 3),
    ],
)
def test_envi_has_one_output_in_float32(tmp_path, output, name, bands):
    write_result(RESULT, tmp_path / "a.hdr", output=output)
    image = envi.open(str(tmp_path / "a.hdr"))
    with image.fid:
        values = np.array(image.open_memmap(interleave="bip"))
        assert image.metadata["description"] == name
    assert values.shape == (6, 8, bands)
    np.testing.assert_array_equal(values, RESULT[name][0].astype("<f4"))


@pytest.mark.parametrize("output", ["scores", "decisions"])
def test_a_picture_of_one_output(tmp_path, output):
    write_result(RESULT, tmp_path / "a.png", output=output)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "output", "text"),
    [
        ("a.jpg", None, r"unknown format \(.jpg\); results are written as .npz"),
        ("a.hdr", "nothing", "No output is named nothing; the outputs are detector.scores, "),
        ("a.hdr", "loss", r"loss.loss has the shape \[1\]; one image"),
        ("a.png", "selected", "has 3 channels"),
    ],
)
def test_an_error_in_writing_names_its_reason(tmp_path, name, output, text):
    with pytest.raises(UnwritableFile, match=text):
        write_result(RESULT, tmp_path / name, output=output)
    assert list(tmp_path.iterdir()) == []
