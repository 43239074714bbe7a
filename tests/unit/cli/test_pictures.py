"""Pictures that commands draw in addition to their result."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console

from cuvis_fleet.cli.commands.number_list import numbers
from cuvis_fleet.cli.commands.result_pictures import ResultPictures
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.cli.report import Report
from cuvis_fleet.cli.training.curves_picture import CurvesPicture
from cuvis_fleet.formats import Scene, UnwritableFile
from cuvis_fleet.models.progress import Progress
from cuvis_fleet.models.result import Result

MESSAGE = Progress("train", "running", 0, 0, 0, {"total": 0.5}, {}, "", "", 0, 0)
CUBE = np.arange(4 * 5 * 3, dtype=np.uint16).reshape(4, 5, 3)
MASK = np.eye(4, 5, dtype=np.int32)
SCORES = MASK[None, :, :, None].astype(np.float32)
FILE = Path("field.npz")


@pytest.fixture
def report():
    made = Report()
    made.err = Console(file=io.StringIO(), width=200)
    return made


def test_curves_are_drawn_from_the_messages(tmp_path, report):
    path = tmp_path / "curves.svg"
    picture = CurvesPicture(path)
    picture.add(MESSAGE)
    picture.add(replace(MESSAGE, epoch=1, losses={"total": 0.25}))
    assert picture.draw(report, "channel_selector") == str(path)
    assert f"drawn: {path}" in report.err.file.getvalue()
    assert path.stat().st_size > 0


def test_missing_curves_are_not_a_failure(tmp_path, report):
    picture = CurvesPicture(tmp_path / "curves.png")
    picture.add(replace(MESSAGE, losses={}))
    assert picture.draw(report, "rx_statistical") is None
    assert "statistical training runs have none" in report.err.file.getvalue()
    assert list(tmp_path.iterdir()) == []
    assert CurvesPicture(None).draw(report, "rx_statistical") is None


def test_a_removed_folder_does_not_fail_the_training(tmp_path, report):
    folder = tmp_path / "gone"
    folder.mkdir()
    picture = CurvesPicture(folder / "curves.png")
    picture.add(MESSAGE)
    folder.rmdir()
    assert picture.draw(report, "channel_selector") is None
    assert "does not exist; create it first" in report.err.file.getvalue()


@pytest.mark.parametrize(
    ("name", "text"), [("x.bmp", "not .bmp"), ("no/x.png", "does not exist; create it first")]
)
def test_a_picture_that_cannot_be_drawn_is_rejected_before_the_work(tmp_path, name, text):
    path = tmp_path / name
    with pytest.raises(UnwritableFile, match=text):
        CurvesPicture(path)
    for pictures in (ResultPictures(path, None), ResultPictures(None, path)):
        with pytest.raises(UnwritableFile, match=text):
            pictures.check(Scene(CUBE, None, MASK), FILE)


@pytest.mark.parametrize(
    ("mask", "text"),
    [(None, "no mask"), (0 * MASK, "with only one class"), (0 * MASK + 1, "with only one class")],
)
def test_a_roc_needs_a_mask_with_both_classes(tmp_path, mask, text):
    pictures = ResultPictures(tmp_path / "overlay.png", tmp_path / "roc.png")
    with pytest.raises(CommandFailed, match=rf"field\.npz has .*{text}"):
        pictures.check(Scene(CUBE, None, mask), FILE)
    ResultPictures(tmp_path / "overlay.png", None).check(Scene(CUBE, None, mask), FILE)


@pytest.mark.parametrize("mask", [None, MASK], ids=["bare", "labelled"])
def test_a_result_is_drawn_over_its_scene(tmp_path, mask):
    path = tmp_path / "overlay.svg"
    result = Result({"decider.decisions": SCORES > 0.5})
    assert ResultPictures(path, None).draw(Scene(CUBE, None, mask), result) == [path]
    assert path.stat().st_size > 0


@pytest.mark.parametrize(
    ("names", "text"),
    [(["a.logits"], "are a.logits;"), (["a.scores", "b.scores"], "are a.scores, b.scores;")],
)
def test_the_error_for_an_ambiguous_output_says_how_to_choose(tmp_path, names, text):
    result = Result(dict.fromkeys(names, SCORES))
    pictures = ResultPictures(None, tmp_path / "roc.png")
    with pytest.raises(
        CommandFailed,
        match=rf"one output scores, but the outputs {text} choose outputs with --output",
    ):
        pictures.draw(Scene(CUBE, None, MASK), result)
    pictures.draw(Scene(CUBE, None, MASK), Result({"a.scores": SCORES, "b.logits": SCORES}))
    assert (tmp_path / "roc.png").read_bytes().startswith(b"\x89PNG")


def test_comma_separated_numbers_are_parsed():
    assert numbers(float, "860,660.5,560", 3, "--wavelengths", "1,2,3") == [860.0, 660.5, 560.0]
    for text in ("1", "1,2,3", "1,a", "1.5,2", ""):
        with pytest.raises(
            typer.BadParameter, match="list of 2 comma-separated numbers, such as 1,2"
        ):
            numbers(int, text, 2, "--pixel", "1,2")
