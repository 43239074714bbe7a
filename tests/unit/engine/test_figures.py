"""Pictures of visualizers, down to the colour of a pixel."""

import threading

import numpy as np
import pytest
import torch

from fleet_engine import Context, Stage, build_pipeline
from fleet_engine.nodes.visualizers.drawing import (
    FALSE_ALARM,
    FOUND,
    HIT,
    MISS,
    coloured,
    grey,
    stretched,
    to_bytes,
)
from fleet_platform.errors import InvalidInput
from tests.support.scenes.pipelines import config, node

SHOWN = "cuvis_ai.node.anomaly_visualization."
COMPARED = "cuvis_ai.node.pipeline_visualization."
CONTEXT = Context(Stage.VAL, epoch=1, batch_idx=2, global_step=7)
HEIGHT, WIDTH = 20, 30


def made(path, **hparams):
    return build_pipeline(config([node("n", path, **hparams)])).nodes["n"]


def drawn(path, inputs, context=CONTEXT, **hparams):
    return made(path, **hparams)(**inputs, context=context)["artifacts"]


def cube(count=1, channels=6):
    return torch.rand((count, HEIGHT, WIDTH, channels), generator=torch.Generator().manual_seed(0))


def region(columns, count=1):
    flags = torch.zeros(count, HEIGHT, WIDTH, 1, dtype=torch.bool)
    flags[:, 5:15, columns] = True
    return flags


def masks(count=1):
    """From left to right: missed, hit, false alarm."""
    return {"mask": region(slice(3, 18), count), "decisions": region(slice(9, 24), count)}


def columns_of(picture, colour):
    """Return the columns of the last quarter, above the legend, that show exactly one colour."""
    wanted = to_bytes(np.array(colour, np.float32))
    height, width = picture.shape[:2]
    part = picture[: int(height * 0.85), int(width * 0.75) :]
    return np.nonzero((part == wanted).all(axis=2))[1]


@pytest.mark.parametrize(
    ("path", "inputs", "hparams", "name"),
    [
        (SHOWN + "AnomalyMask", {"cube": cube()}, {"channel": 2}, "anomaly_mask_img00"),
        (SHOWN + "RGBAnomalyMask", {"rgb_image": cube(channels=3)}, {}, "rgb_anomaly_mask_img00"),
    ],
)
def test_agreement_is_green_red_and_yellow_where_it_belongs(path, inputs, hparams, name):
    (artifact,) = drawn(path, {**inputs, **masks()}, **hparams)
    assert (artifact.name, artifact.type, artifact.el_id) == (name, "image", 0)
    assert (artifact.stage, artifact.epoch, artifact.batch_idx) == (Stage.VAL, 1, 2)
    assert "precision 0.600, recall 0.600, IoU 0.429" in artifact.desc
    missed, hit, false = (columns_of(artifact.value, colour) for colour in (MISS, HIT, FALSE_ALARM))
    assert missed.size
    assert missed.max() < hit.min()
    assert hit.max() < false.min()
    # Six columns missed, nine hit, six false: the panel keeps the proportions.
    assert hit.size / missed.size == pytest.approx(9 / 6, rel=0.1)
    assert false.size / missed.size == pytest.approx(1, rel=0.1)


def test_without_ground_truth_finds_have_a_separate_colour():
    inputs = {"cube": cube(), "decisions": region(slice(9, 24))}
    (artifact,) = drawn(SHOWN + "AnomalyMask", inputs, channel=0)
    wanted = to_bytes(np.array(FOUND, np.float32))
    assert (artifact.value == wanted).all(axis=2).sum() > 1000
    assert artifact.desc == "150 of 600 pixels found"


def test_regions_are_painted_over_the_background_pixel_by_pixel():
    background = grey(np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3))
    flags = np.array([[True, False, False], [False, False, False]])
    image = coloured(background, [(HIT, flags)])
    assert image[0, 0] == pytest.approx(HIT)
    assert (image[~flags] < background[~flags] + 1e-6).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [([[3.0, 3.0]], [[0, 0]]), ([[0.0, 10.0]], [[0, 1]]), ([[np.nan, 1.0], [2.0, 2.0]], None)],
)
def test_stretched_values_are_within_0_and_1_even_if_constant(values, expected):
    got = stretched(np.array(values, np.float32))
    assert ((got >= 0) & (got <= 1)).all()
    if expected is not None:
        assert got.tolist() == expected


def test_score_heatmaps_are_brightest_where_scores_are_highest():
    scores = torch.zeros(7, HEIGHT, WIDTH, 1)
    scores[:, 2:8, 2:8] = 9.0
    artifacts = drawn(SHOWN + "ScoreHeatmapVisualizer", {"scores": scores}, cmap="gray")
    assert [a.name for a in artifacts] == [f"score_heatmap_img{i:02d}" for i in range(5)]
    assert artifacts[3].el_id == 3
    assert "0 to 9" in artifacts[0].desc


def test_unknown_colour_maps_are_refused():
    with pytest.raises(InvalidInput, match=r"'no_such'.*inferno"):
        drawn(
            SHOWN + "ScoreHeatmapVisualizer",
            {"scores": torch.zeros(1, HEIGHT, WIDTH, 1)},
            cmap="no_such",
        )


def test_the_channels_with_the_largest_weights_are_shown():
    inputs = {
        "cube": cube(2),
        "weights": torch.tensor([0.1, 0.9, 0.2, 0.8, 0.0, 0.7]),
        "wavelengths": torch.tensor([400, 500, 600, 700, 800, 900], dtype=torch.int32),
    }
    artifacts = drawn(COMPARED + "CubeRGBVisualizer", inputs)
    assert [a.name for a in artifacts] == ["viz_rgb_sample_0", "viz_rgb_sample_1"]
    assert artifacts[0].desc == "900 nm, 700 nm, 500 nm"


def test_at_least_two_components_are_required():
    (artifact,) = drawn(COMPARED + "PCAVisualization", {"data": cube(3)}, up_to=1)
    assert artifact.name == "pca_projection_img00"
    with pytest.raises(InvalidInput, match="1 components"):
        drawn(COMPARED + "PCAVisualization", {"data": cube(channels=1)})


def compared(**more):
    return {
        "hsi_cube": cube(),
        "mixer_output": cube(channels=3),
        "ground_truth_mask": region(slice(3, 18)),
        "adaclip_scores": cube(channels=1),
        **more,
    }


def test_comparison_draws_four_pictures_at_full_resolution():
    artifacts = drawn(COMPARED + "PipelineComparisonVisualizer", compared())
    assert [artifact.name for artifact in artifacts] == [
        "hsi_input_sample_0",
        "mixer_output_adaclip_input_sample_0",
        "ground_truth_mask_sample_0",
        "adaclip_scores_heatmap_sample_0",
    ]
    assert {artifact.value.shape for artifact in artifacts} == {(HEIGHT, WIDTH, 3)}
    truth = artifacts[2].value
    assert (truth[5:15, 3:18] == 255).all()
    assert truth.sum() == 10 * 15 * 3 * 255


def test_comparison_draws_at_every_nth_batch():
    counts = [
        len(
            drawn(
                COMPARED + "PipelineComparisonVisualizer",
                compared(),
                Context(Stage.TRAIN, batch_idx=batch),
                log_every_n_batches=2,
            )
        )
        for batch in range(4)
    ]
    assert counts == [4, 0, 4, 0]


ALL = [
    (SHOWN + "AnomalyMask", {"channel": 1}, lambda n: {"cube": cube(n), **masks(n)}),
    (SHOWN + "RGBAnomalyMask", {}, lambda n: {"rgb_image": cube(n, 3), **masks(n)}),
    (SHOWN + "ScoreHeatmapVisualizer", {}, lambda n: {"scores": cube(n, 1)}),
    (
        COMPARED + "CubeRGBVisualizer",
        {},
        lambda n: {
            "cube": cube(n),
            "weights": torch.ones(6),
            "wavelengths": torch.arange(6, dtype=torch.int32),
        },
    ),
    (COMPARED + "PCAVisualization", {}, lambda n: {"data": cube(n)}),
]


@pytest.mark.parametrize(("path", "hparams", "inputs"), ALL)
def test_pictures_are_uint8_rgb_up_to_a_number(path, hparams, inputs):
    artifacts = drawn(path, inputs(3), up_to=2, **hparams)
    assert [artifact.el_id for artifact in artifacts] == [0, 1]
    for artifact in artifacts:
        assert artifact.value.dtype == np.uint8
        assert artifact.value.ndim == 3
        assert artifact.value.shape[2] == 3
        assert artifact.value.shape[0] > HEIGHT
        assert len(np.unique(artifact.value)) > 10


@pytest.mark.parametrize(("path", "hparams", "inputs"), ALL)
def test_visualizers_never_run_at_inference(path, hparams, inputs):
    visualiser = made(path, execution_stages=["always"], **hparams)
    assert not visualiser.runs_at(Stage.INFERENCE)
    assert made(path, **hparams).runs_at(Stage.VAL)


@pytest.mark.parametrize(
    ("path", "inputs", "hparams", "text"),
    [
        (SHOWN + "AnomalyMask", {"cube": cube(), **masks()}, {"channel": 6}, "more than 6"),
        (
            SHOWN + "AnomalyMask",
            {"cube": cube()[:, 1:], **masks()},
            {"channel": 0},
            "input 'cube'",
        ),
        (
            COMPARED + "CubeRGBVisualizer",
            {"cube": cube(), "weights": torch.ones(5), "wavelengths": torch.arange(6)},
            {},
            "input 'weights'",
        ),
    ],
)
def test_inputs_that_do_not_match_are_refused(path, inputs, hparams, text):
    with pytest.raises(InvalidInput, match=text):
        drawn(path, inputs, **hparams)


def test_concurrent_threads_draw_the_same():
    inputs = {"cube": cube(), **masks()}
    pictures = [None] * 3

    def draw(index):
        pictures[index] = drawn(SHOWN + "AnomalyMask", inputs, channel=0)[0].value

    threads = [threading.Thread(target=draw, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])
