"""Deciders and their calibration against plain numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fleet_engine import Context, Stage, build_pipeline
from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.nodes.deciders.decider import CalibrationImpossible
from fleet_engine.nodes.statistics.quantiles import quantile, quantiles
from tests.support.scenes.pipelines import config, node

BINARY = "cuvis_ai.deciders.binary_decider.BinaryDecider"
QUANTILE = "cuvis_ai.deciders.binary_decider.QuantileBinaryDecider"
TWO_STAGE = "cuvis_ai.deciders.two_stage_decider.TwoStageBinaryDecider"
CONTEXT = Context(Stage.INFERENCE)
SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.integers(1, 3))
SCORES = st.floats(-50, 50, width=32)
LEVELS = st.floats(0, 1) | st.sampled_from([0.0, 0.5, 0.995, 1.0])
DIMS = st.sampled_from([None, [1, 2], [1, 2, 3], [-1], [0, 1, 2], [2]])


def made(class_name, **hparams):
    return build_pipeline(config([node("n", class_name, **hparams)])).nodes["n"]


def decide(decider, scores):
    decisions = decider(logits=torch.as_tensor(scores), context=CONTEXT)["decisions"]
    assert decisions.dtype == torch.bool
    return decisions.numpy()


def axes(dims):
    return (1, 2, 3) if dims is None else tuple(dims)


@settings(max_examples=80, deadline=None)
@given(data=st.data(), shape=SHAPES, level=LEVELS, dims=DIMS)
def test_quantile_equals_numpy_and_torch_to_the_bit(data, shape, level, dims):
    scores = data.draw(hnp.arrays(np.float32, shape, elements=SCORES))
    got = quantile(torch.from_numpy(scores), level, dims)
    expected = np.quantile(scores.astype(np.float64), level, axis=axes(dims), keepdims=True)
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-3)
    (one_of_many,) = quantiles(torch.from_numpy(scores), [level], dims)
    assert torch.equal(one_of_many, got)
    if dims is None:
        flat = torch.from_numpy(scores).flatten(1)
        assert torch.equal(got.flatten(), torch.quantile(flat, level, dim=1))


def test_quantile_of_more_values_than_torch_accepts():
    count = 2**24 + 3
    values = torch.arange(count, dtype=torch.float32).flip(0)[None]
    with pytest.raises(RuntimeError, match="too large"):
        torch.quantile(values, 0.75, dim=1)
    assert quantile(values, 0.75).item() == pytest.approx(0.75 * (count - 1), abs=1)


def test_quantile_of_nan_is_nan_where_it_occurs():
    values = torch.tensor([[1.0, torch.nan, 3.0], [1.0, 2.0, 3.0]])
    assert quantile(values, 0.5).isnan().flatten().tolist() == [True, False]


@settings(max_examples=40, deadline=None)
@given(data=st.data(), shape=SHAPES, dims=DIMS)
def test_quantile_decider(data, shape, dims):
    scores = data.draw(hnp.arrays(np.float32, shape, elements=st.integers(-4, 4).map(float)))
    border = np.quantile(scores.astype(np.float64), 0.75, axis=axes(dims), keepdims=True)
    assert np.array_equal(
        decide(made(QUANTILE, quantile=0.75, reduce_dims=dims), scores), scores >= border
    )


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    shape=SHAPES,
    fraction=st.sampled_from([0.001, 0.25, 0.5, 1.0]),
    image_threshold=st.sampled_from([0.0, 0.3, 0.6]),
    dims=st.sampled_from([None, [1, 2]]),
)
def test_two_stage_decider(data, shape, fraction, image_threshold, dims):
    eighths = st.integers(-8, 8).map(lambda i: i / 8)
    scores = data.draw(hnp.arrays(np.float32, shape, elements=eighths))
    decider = made(
        TWO_STAGE,
        image_threshold=image_threshold,
        top_k_fraction=fraction,
        quantile=0.75,
        reduce_dims=dims,
    )
    wide = scores.astype(np.float64)
    flags = (wide >= np.quantile(wide, 0.75, axis=axes(dims), keepdims=True)).any(-1, keepdims=True)
    highest = -np.sort(-wide.max(axis=-1).reshape(shape[0], -1), axis=1)
    judged = int(np.ceil(fraction * highest.shape[1]))
    image_score = highest[:, :judged].mean(axis=1)
    gate = image_score.astype(np.float32) >= np.float32(image_threshold)
    assert np.array_equal(decide(decider, scores), flags & gate.reshape(-1, 1, 1, 1))


def test_a_fraction_of_the_pixels_is_rounded_up_without_rounding_errors():
    scores = np.zeros((1, 1200, 1, 1), np.float32)
    scores[0, :84] = 1.0
    assert decide(made(TWO_STAGE, image_threshold=1.0, top_k_fraction=0.07), scores).any()
    assert not decide(made(TWO_STAGE, image_threshold=1.0, top_k_fraction=0.0701), scores).any()


def f1(found, true):
    both = np.count_nonzero(found & true)
    return 2 * both / max(np.count_nonzero(found) + np.count_nonzero(true), 1)


def split(seed, frames=3, extent=(6, 7), channels=1):
    """Measurements whose anomalous pixels score higher, in most cases."""
    rng = np.random.default_rng(seed)
    targets = [rng.random((1, *extent, 1)) > 0.8 for _ in range(frames)]
    targets[0][0, 0, :2, 0] = [True, False]
    scores = [
        (rng.normal(size=(1, *extent, channels)) + 2 * target).round(2).astype(np.float32)
        for target in targets
    ]
    return scores, targets


def tensors(arrays):
    return [torch.from_numpy(array) for array in arrays]


def levels_of(count):
    return 1 - np.logspace(np.log10(1 / count), np.log10(0.5), 256)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), channels=st.integers(1, 3))
def test_calibration_of_the_threshold(seed, channels):
    scores, targets = split(seed, channels=channels)
    decider = made(BINARY, threshold=0.25)
    result = decider.calibrate(tensors(scores), tensors(targets))

    probability = np.concatenate(
        [torch.sigmoid(frame).numpy().max(-1).ravel() for frame in tensors(scores)]
    )
    true = np.concatenate([target.ravel() for target in targets])
    candidates = np.quantile(probability.astype(np.float64), levels_of(true.size))
    candidates = np.unique(np.append(candidates.astype(np.float32), probability.max()))
    gains = np.array([f1(probability >= candidate, true) for candidate in candidates])
    winner = candidates[gains == gains.max()].max()
    lower = probability[probability < winner].max()
    expected = (np.float64(winner) + np.float64(lower)) / 2

    assert result.before == {"threshold": 0.25}
    assert result.after == {"threshold": pytest.approx(expected, rel=1e-6)}
    assert decider.threshold == decider.hparams["threshold"] == result.after["threshold"]
    found = np.concatenate([decide(decider, frame).any(-1).ravel() for frame in scores])
    assert result.metrics["f1_score"] == pytest.approx(f1(found, true))
    assert result.metrics["f1_score"] == pytest.approx(gains.max())


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    channels=st.integers(1, 2),
    dims=st.sampled_from([None, [1, 2], [1, 2, 3]]),
)
def test_calibration_of_the_quantile(seed, channels, dims):
    scores, targets = split(seed, channels=channels)
    decider = made(QUANTILE, quantile=0.9, reduce_dims=dims)
    result = decider.calibrate(tensors(scores), tensors(targets))

    true = np.concatenate([target.ravel() for target in targets])

    def gain(level):
        with_level = made(QUANTILE, quantile=level, reduce_dims=dims)
        return f1(
            np.concatenate([decide(with_level, frame).any(-1).ravel() for frame in scores]), true
        )

    levels = np.unique([*levels_of(true.size), 0.9])
    gains = np.array([gain(float(level)) for level in levels])
    assert result.before == {"quantile": 0.9}
    assert result.after["quantile"] == pytest.approx(levels[gains == gains.max()].max())
    assert decider.quantile == decider.hparams["quantile"] == result.after["quantile"]
    assert result.metrics["f1_score"] == pytest.approx(gains.max())
    assert gains.max() >= gain(0.9)


@pytest.mark.parametrize("class_name", [BINARY, QUANTILE])
def test_calibration_separates_what_can_be_separated(class_name):
    (scores,), (targets,) = split(3, frames=1)
    scores = scores + np.where(targets, 5, -5).astype(np.float32)
    decider = made(class_name)
    metrics = decider.calibrate(tensors([scores]), tensors([targets])).metrics
    assert metrics == {"precision": 1.0, "recall": 1.0, "f1_score": 1.0}
    assert np.array_equal(decide(decider, scores), targets)


def test_a_threshold_between_adjacent_floats_keeps_the_best_candidate():
    low = np.float32(0.25)
    high = np.nextafter(low, np.float32(1))
    logits = torch.logit(torch.tensor([low, high], dtype=torch.float64)).float().reshape(1, 1, 2, 1)
    truth = torch.tensor([False, True]).reshape(1, 1, 2, 1)
    decider = made(BINARY)
    assert decider.calibrate([logits], [truth]).metrics["f1_score"] == 1.0
    assert np.array_equal(decide(decider, logits), truth.numpy())


@pytest.mark.parametrize("class_name", [BINARY, QUANTILE])
@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda scores, targets: targets.fill_(value=False), "are normal"),
        (lambda scores, targets: targets.fill_(value=True), "are anomalous"),
        (lambda scores, targets: scores.fill_(torch.nan), "NaN"),
        (lambda scores, targets: scores[0, 0, 0].fill_(torch.inf), "infinite"),
        (lambda scores, targets: targets.resize_(1, 6, 6, 1), "differ in their pixels"),
    ],
)
def test_an_impossible_calibration_changes_nothing(class_name, spoil, text):
    (scores,), (targets,) = (tensors(part) for part in split(1, frames=1))
    spoil(scores, targets)
    decider = made(class_name)
    before = dict(decider.hparams)
    with pytest.raises(CalibrationImpossible, match=text):
        decider.calibrate([scores], [targets])
    assert decider.hparams == before


@pytest.mark.parametrize(
    ("class_name", "hparams"),
    [
        (QUANTILE, {"quantile": 1.5}),
        (QUANTILE, {"reduce_dims": [4]}),
        (QUANTILE, {"reduce_dims": []}),
        (TWO_STAGE, {"top_k_fraction": 0.0}),
        (TWO_STAGE, {"image_threshold": -0.1}),
    ],
)
def test_hparams_out_of_range_are_refused(class_name, hparams):
    with pytest.raises(GraphInvalid, match=next(iter(hparams))):
        made(class_name, **hparams)
