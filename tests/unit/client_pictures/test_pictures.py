"""The content of pictures, and errors in drawing them."""

import subprocess
import sys

import numpy as np
import pytest

from cuvis_fleet import Progress, pictures
from cuvis_fleet.formats import UnwritableFile

NM = np.linspace(430, 910, 61)
RNG = np.random.default_rng(4)
CUBE = RNG.integers(100, 4000, (12, 20, 61)).astype(np.uint16)
SCORES = RNG.gamma(2.0, 20.0, (12, 20)).astype(np.float32)
TRUTH = np.quantile(SCORES, 0.9) < SCORES


def texts(figure):
    """All texts in a figure."""
    figure.draw_without_rendering()
    found = figure.findobj(lambda artist: hasattr(artist, "get_text"))
    return " | ".join(each.get_text() for each in found if each.get_text())


def image(figure):
    return figure.axes[0].get_images()[0].get_array()


@pytest.mark.parametrize(
    ("wavelengths_nm", "rgb_nm", "title"),
    [
        (NM, None, "False colour: R 862, G 662, B 558 nm"),
        (NM, (900, 700, 450), "False colour: R 902, G 702, B 446 nm"),
        (np.linspace(400, 700, 61), None, "True colour: R 640, G 550, B 460 nm"),
        (np.linspace(1000, 2500, 61), None, "False colour: R 2125, G 1750, B 1375 nm"),
        (None, None, "False colour: bands 45, 30, 15 (nm not known)"),
    ],
)
def test_a_preview_chooses_bands_by_wavelength_and_names_them(wavelengths_nm, rgb_nm, title):
    figure = pictures.preview(CUBE, wavelengths_nm, rgb_nm=rgb_nm, title="field")
    assert f"field\n{title}" in texts(figure)
    assert image(figure).shape == (12, 20, 3)
    assert figure.axes[0].get_aspect() == 1.0


def test_a_preview_shows_the_chosen_bands_from_dark_to_bright():
    cube = np.zeros((10, 10, 3))
    cube[:, :, 0] = np.arange(100).reshape(10, 10)
    shown = image(pictures.preview(cube, [860, 660, 560]))
    assert (shown[0, 0, 0], shown[9, 9, 0]) == (0, 1)
    assert (np.diff(shown[:, :, 0].ravel()) >= 0).all()
    assert not shown[:, :, 1:].any()


def test_a_preview_accepts_values_that_are_not_finite():
    cube = CUBE.astype(np.float32)
    cube[0, 0] = np.nan
    assert np.isfinite(image(pictures.preview(cube, NM))).all()


def test_a_score_map_has_a_labelled_colour_bar():
    figure = pictures.score_map(SCORES[None, :, :, None], title="RX", label="distance (squared)")
    assert "distance (squared)" in texts(figure)
    np.testing.assert_array_equal(image(figure), SCORES)
    assert type(figure.axes[0].get_images()[0].norm).__name__ == "LogNorm"
    for flat in (np.zeros((3, 4)), np.full((3, 4), 7.0), -SCORES):
        drawn = pictures.score_map(flat)
        texts(drawn)
        assert type(drawn.axes[0].get_images()[0].norm).__name__ == "Normalize"


def test_an_overlay_distinguishes_found_missed_and_false_alarms():
    decisions = np.zeros((12, 20), bool)
    truth = np.zeros((12, 20), bool)
    decisions[0, :5] = truth[0, 2:9] = True
    figure = pictures.decision_overlay(decisions, CUBE, truth=truth)
    written = texts(figure)
    for text in ("found, 3 px", "false alarm, 2 px", "missed, 4 px"):
        assert text in written
    shown = image(figure)
    assert len({tuple(shown[0, column]) for column in (0, 3, 7)}) == 3
    assert "decided anomalous, 5 px" in texts(pictures.decision_overlay(decisions))


def test_spectra_are_labelled_at_their_ends():
    figure = pictures.spectra(CUBE, NM, {"grass": (3, 4), "paint": (7, 8)}, values="counts")
    written = texts(figure)
    for text in ("grass (3, 4)", "paint (7, 8)", "wavelength (nm)", "counts"):
        assert text in written
    lines = figure.axes[0].get_lines()
    np.testing.assert_array_equal(lines[0].get_ydata(), CUBE[3, 4])
    assert lines[0].get_color() != lines[1].get_color()
    assert "band" in texts(pictures.spectra(CUBE, None, [(0, 0)]))


def test_roc_shows_the_area_and_the_operating_point():
    figure = pictures.roc(SCORES, TRUTH, decisions=np.median(SCORES) < SCORES)
    written = texts(figure)
    assert "AUC 1.0000" in written
    assert "decisions: 100% found,\n44.44% false alarms" in written


def test_roc_of_a_constant_background_has_an_axis():
    figure = pictures.roc(TRUTH.astype(float), TRUTH)
    assert "AUC 1.0000" in texts(figure)
    assert figure.axes[0].get_xlim() == (0.1, 1)


def message(stage, epoch, losses, metrics):
    return Progress(stage, "running", epoch, 0, epoch, losses, metrics, "", "", 0, 0)


def test_training_curves_end_with_names_and_values():
    messages = [
        message("train", epoch, {"total": 1.0 / (epoch + 1)}, {"iou": 0.1 * epoch})
        for epoch in range(4)
    ]
    figure = pictures.training_curves([*messages, message("val", 3, {"total": 0.5}, {})])
    written = texts(figure)
    for text in ("train total 0.25", "val total 0.5", "train iou 0.3", "epoch", "loss", "metric"):
        assert text in written
    np.testing.assert_allclose(figure.axes[0].get_lines()[0].get_ydata(), [1, 1 / 2, 1 / 3, 1 / 4])


def test_training_curves_draw_repeated_values_once():
    messages = []
    for epoch, (train, val) in enumerate([(4.0, 5.0), (2.0, 3.0)]):
        shared = {"node/iou": 0.1 * train, "node/f1": 0.2 * val, "node/best": 0.2 * val}
        both = {"train_loss": train, "val_loss": val}
        messages += [
            message(
                "val", epoch, {**both, "total": val}, {**shared, "train/bce": train, "lr-A": 0.1}
            ),
            message(
                "train", epoch, {**both, "total": train}, {**shared, "bce": train, "lr-A": 0.1}
            ),
        ]
    test = message("test", 0, {"total": 9.0}, {"node/iou": 9.0})
    figure = pictures.training_curves([*messages, test])
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "node", "learning rate"]
    labels = [{each.get_text() for each in axes.texts} for axes in figure.axes]
    assert labels == [{"train total 2", "val total 3"}, {"iou 0.2", "f1, best 0.6"}, {"A 0.1"}]


def test_labels_of_lines_do_not_overlap_inside_their_axes():
    losses = {f"loss{number}": 1.0 + number / 1e4 for number in range(6)}
    messages = [message("train", 0, {"low": 0.0, **losses}, {}), message("train", 1, losses, {})]
    figure = pictures.training_curves(messages)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [each.get_window_extent() for each in axes.texts]
    middles = sorted((box.y0 + box.y1) / 2 for box in boxes)
    assert min(np.diff(middles)) > 0.9 * boxes[0].height
    assert middles[-1] <= axes.bbox.y1 + 1


def test_a_loss_that_ends_in_nan_is_labelled_at_its_last_finite_value():
    messages = [message("train", epoch, {"total": value}, {}) for epoch, value in enumerate([1, 2])]
    figure = pictures.training_curves([*messages, message("train", 2, {"total": float("nan")}, {})])
    (label,) = figure.axes[0].texts
    assert (label.get_text(), label.xy) == ("train total nan", (1.0, 2))


@pytest.mark.parametrize(
    ("draw", "text"),
    [
        (lambda: pictures.preview(CUBE[0], NM), r"shape \(20, 61\); \[H,W,C\] is needed"),
        (lambda: pictures.preview(CUBE, NM[:5]), "61 bands, but there are 5 wavelengths"),
        (lambda: pictures.preview(CUBE, None, rgb_nm=(1, 2, 3)), "needs wavelengths_nm"),
        (lambda: pictures.score_map(CUBE), r"one image \[H,W\] is needed"),
        (lambda: pictures.decision_overlay(TRUTH, CUBE[:5]), "the cube has"),
        (lambda: pictures.decision_overlay(TRUTH, truth=TRUTH[:5]), "the truth has"),
        (lambda: pictures.spectra(CUBE, NM, []), "pixels is empty; pass"),
        (lambda: pictures.spectra(CUBE, NM, [(12, 0)]), "rows are 0 to 11, columns 0 to 19"),
        (lambda: pictures.spectra(CUBE, NM[1:], [(0, 0)]), "60 wavelengths"),
        (lambda: pictures.roc(SCORES, TRUTH[:5]), "240 scores, but 100 truth values"),
        (lambda: pictures.roc(SCORES, SCORES > -1), "the truth has only one class"),
        (lambda: pictures.roc(SCORES, TRUTH, decisions=TRUTH[:5]), "100 decisions"),
        (lambda: pictures.training_curves([]), "draw a gradient training"),
    ],
)
def test_an_error_in_drawing_names_its_reason(draw, text):
    with pytest.raises(ValueError, match=text):
        draw()


def test_the_same_figure_is_the_same_file(tmp_path):
    for name in ("a.png", "b.png", "a.svg", "a.pdf"):
        assert pictures.save(pictures.score_map(SCORES), tmp_path / name) == tmp_path / name
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with pytest.raises(UnwritableFile, match=r"pictures are \.png, \.svg, \.pdf, not \.bmp"):
        pictures.save(pictures.score_map(SCORES), tmp_path / "a.bmp")


def test_drawing_does_not_change_the_programs_plotting_state():
    probe = (
        "import sys, numpy as np; from cuvis_fleet import pictures\n"
        "pictures.score_map(np.ones((3, 4)))\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=600, check=True
    )
    assert done.stdout == "False\n"
