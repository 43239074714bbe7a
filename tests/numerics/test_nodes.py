"""Each node against an independent float64 reference."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fleet_engine import build_pipeline
from tests.numerics.single_node import CONTEXT, fit, gradients_agree, made, scene
from tests.support.scenes.pipelines import (
    DATA,
    DECIDER,
    LOGIT,
    METRICS,
    MIN_MAX,
    RX,
    fitted_rx,
    infer,
    rx_config,
)
from tests.support.scenes.pipelines import fit as fit_pipeline

EXTENTS = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))


def rx_reference(train, test, eps):
    """Mahalanobis distance by textbook, all in float64."""
    rows = train.reshape(-1, train.shape[-1]).astype(np.float64)
    covariance = np.cov(rows, rowvar=False, ddof=1).reshape(rows.shape[1], -1)
    covariance = covariance + eps * np.eye(rows.shape[1])
    centred = test.reshape(-1, test.shape[-1]).astype(np.float64) - rows.mean(axis=0)
    scores = np.einsum("nc,nc->n", centred, np.linalg.solve(covariance, centred.T).T)
    return rows.mean(axis=0), covariance, scores.reshape(*test.shape[:-1], 1)


@settings(max_examples=25, deadline=None)
@given(extent=EXTENTS, channels=st.integers(1, 12), seed=st.integers(0, 99), cache=st.booleans())
def test_rx(extent, channels, seed, cache):
    train, test = scene((2, 30, 20), channels, seed), scene(extent, channels, seed + 1)
    rx = made(RX, num_channels=channels, cache_inverse=cache)
    rx.statistical_initialization([{"data": torch.from_numpy(half[None])} for half in train])
    mean, covariance, scores = rx_reference(train, test, 1e-6)
    np.testing.assert_allclose(rx.mu.numpy(), mean, rtol=1e-6, atol=1e-6)
    scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    assert np.abs(rx.cov.numpy() - covariance).max() <= 1e-6 * scale.max()
    got = rx(data=torch.from_numpy(test), context=CONTEXT)["scores"]
    assert got.dtype == torch.float32
    condition = np.linalg.cond(covariance)
    np.testing.assert_allclose(got.numpy(), scores, rtol=1e-5 + 1e-7 * condition, atol=1e-4)


def test_rx_statistics_of_61_channels_are_within_a_millionth():
    train = scene((3, 64, 64), 61, 4)
    rx = made(RX, num_channels=61)
    rx.statistical_initialization([{"data": torch.from_numpy(one[None])} for one in train])
    mean, covariance, _ = rx_reference(train, train, 1e-6)
    np.testing.assert_allclose(rx.mu.numpy(), mean, rtol=1e-6)
    assert np.linalg.norm(rx.cov.numpy() - covariance) <= 1e-6 * np.linalg.norm(covariance)
    inverse = np.linalg.inv(covariance)
    assert np.linalg.norm(rx.cov_inv.numpy() - inverse) <= 1e-6 * np.linalg.norm(inverse)


def test_rx_statistics_survive_a_large_offset():
    """A one-pass sum of squares would lose every digit of this covariance in float32."""
    train = (scene((2, 40, 40), 5, 8).astype(np.float64) * 1e-2 + 1000).astype(np.float32)
    rx = made(RX, num_channels=5, eps=0.0)
    rx.statistical_initialization([{"data": torch.from_numpy(one[None])} for one in train])
    _, covariance, _ = rx_reference(train, train, 0.0)
    assert np.linalg.norm(rx.cov.numpy() - covariance) <= 1e-6 * np.linalg.norm(covariance)


def test_rx_of_linearly_dependent_channels_is_finite():
    base = scene((1, 20, 20), 3, 1)
    train = np.concatenate([base, base], axis=-1)
    rx = made(RX, num_channels=6)
    rx.statistical_initialization([{"data": torch.from_numpy(train)}])
    scores = rx(data=torch.from_numpy(train), context=CONTEXT)["scores"]
    assert bool(torch.isfinite(scores).all())


@settings(max_examples=25, deadline=None)
@given(extent=EXTENTS, channels=st.integers(1, 12), seed=st.integers(0, 99))
def test_min_max_with_running_statistics(extent, channels, seed):
    train, test = scene((2, 6, 5), channels, seed), scene(extent, channels, seed + 1)
    normalizer = made(MIN_MAX)
    normalizer.statistical_initialization([{"data": torch.from_numpy(x[None])} for x in train])
    low, high = float(train.min()), float(train.max())
    expected = (test.astype(np.float64) - low) / max(high - low, 1e-6)
    got = normalizer(data=torch.from_numpy(test), context=CONTEXT)["normalized"]
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-5, atol=1e-5)
    assert float(normalizer.running_min) == low
    assert float(normalizer.running_max) == high


@settings(max_examples=25, deadline=None)
@given(extent=EXTENTS, channels=st.integers(1, 6), seed=st.integers(0, 99))
def test_min_max_per_measurement_and_channel(extent, channels, seed):
    test = scene(extent, channels, seed)
    wide = test.astype(np.float64)
    low, high = wide.min(axis=(1, 2), keepdims=True), wide.max(axis=(1, 2), keepdims=True)
    got = made(MIN_MAX, use_running_stats=False)(data=torch.from_numpy(test), context=CONTEXT)
    expected = (wide - low) / np.maximum(high - low, 1e-6)
    np.testing.assert_allclose(got["normalized"].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_min_max_of_constant_data_divides_by_eps():
    normalizer = made(MIN_MAX, eps=0.5)
    normalizer.statistical_initialization([{"data": torch.full((1, 2, 2, 3), 7.0)}])
    got = normalizer(data=torch.full((1, 1, 1, 3), 8.0), context=CONTEXT)["normalized"]
    assert torch.equal(got, torch.full((1, 1, 1, 3), 2.0))


@settings(max_examples=25, deadline=None)
@given(
    scores=hnp.arrays(
        np.float32, st.integers(2, 60), elements=st.floats(0, 1e4, width=32, allow_nan=False)
    ),
    parts=st.integers(1, 4),
)
def test_score_to_logit(scores, parts):
    logit = made(LOGIT, init_scale=2.0)
    pieces = [piece for piece in np.array_split(scores, parts) if piece.size]
    logit.statistical_initialization(
        [{"scores": torch.from_numpy(piece).reshape(1, -1, 1, 1)} for piece in pieces]
    )
    wide = scores.astype(np.float64)
    bias = wide.mean() + 2 * wide.std(ddof=1)
    np.testing.assert_allclose(float(logit.bias), bias, rtol=1e-6, atol=1e-6)
    assert float(logit.scale) == 2.0
    given_scores = torch.from_numpy(scores).reshape(1, -1, 1, 1)
    got = logit(scores=given_scores, context=CONTEXT)["logits"].numpy().ravel()
    np.testing.assert_allclose(got, 2 * (wide - bias), rtol=1e-4, atol=1e-5 * (1 + abs(bias)))


def test_score_to_logit_before_any_fit():
    logit = made(LOGIT, init_scale=3.0, init_bias=1.0)
    got = logit(scores=torch.tensor([[[[2.0]]]]), context=CONTEXT)["logits"]
    assert got.item() == 3.0


@pytest.mark.parametrize(
    ("class_name", "hparams", "port", "channels"),
    [
        (RX, {"num_channels": 3}, "data", 3),
        (RX, {"num_channels": 3, "cache_inverse": False}, "data", 3),
        (MIN_MAX, {}, "data", 3),
        (MIN_MAX, {"use_running_stats": False}, "data", 3),
        (LOGIT, {}, "scores", 1),
    ],
)
@pytest.mark.parametrize("unfrozen", [False, True])
def test_gradients(class_name, hparams, port, channels, unfrozen):
    node = made(class_name, **hparams)
    if node.requires_fit:
        fit(node, port, scene((2, 6, 6), channels, 1))
    if unfrozen:
        node.unfreeze()
    assert gradients_agree(node, **{port: scene((2, 2, 2), channels, 2).astype(np.float64)})


@pytest.mark.parametrize(
    ("threshold", "logit", "decision"),
    [(0.5, 0.0, True), (0.5, -1e-3, False), (0.9, 2.1, False), (0.9, 2.3, True), (0.0, -99, True)],
)
def test_binary_decider(threshold, logit, decision):
    got = made(DECIDER, threshold=threshold)(
        logits=torch.full((1, 1, 1, 1), float(logit)), context=CONTEXT
    )["decisions"]
    assert got.dtype == torch.bool
    assert got.item() is decision


@pytest.mark.parametrize(
    ("hparams", "anomalous"),
    [
        ({"normal_class_ids": [0, 1]}, {2, 3, 4}),
        ({"normal_class_ids": [0], "anomaly_class_ids": [3]}, {3}),
        ({"normal_class_ids": [], "anomaly_class_ids": []}, set()),
        ({"normal_class_ids": []}, {0, 1, 2, 3, 4}),
    ],
)
@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8, torch.int64, torch.uint16])
def test_class_ids_become_anomalies(hparams, anomalous, dtype):
    classes = torch.arange(5).reshape(1, 1, 5)
    outputs = made(DATA, **hparams)(
        cube=torch.zeros(1, 1, 5, 2),
        wavelengths=torch.tensor([[400, 500]]),
        mask=classes.to(dtype),
        context=CONTEXT,
    )
    assert outputs["mask"].shape == (1, 1, 5, 1)
    assert set(classes[outputs["mask"][..., 0]].tolist()) == anomalous


@settings(max_examples=40, deadline=None)
@given(data=st.data(), pixels=st.integers(1, 40))
def test_metrics(data, pixels):
    flags = hnp.arrays(bool, pixels)
    decisions, targets = data.draw(flags), data.draw(flags)
    logits = data.draw(
        hnp.arrays(np.float32, pixels, elements=st.sampled_from([-2.0, -1.0, 0.0, 1.5, 3.0]))
    )
    got = made(METRICS)(
        decisions=torch.from_numpy(decisions).reshape(1, -1, 1, 1),
        targets=torch.from_numpy(targets).reshape(1, -1, 1, 1),
        logits=torch.from_numpy(logits).reshape(1, -1, 1, 1),
        context=CONTEXT,
    )["metrics"]
    values = {metric.name: metric.value for metric in got}
    both, either = (decisions & targets).sum(), (decisions | targets).sum()
    precision = both / decisions.sum() if decisions.any() else 0.0
    recall = both / targets.sum() if targets.any() else 0.0
    assert values["precision"] == pytest.approx(precision)
    assert values["recall"] == pytest.approx(recall)
    harmonic = 2 * precision * recall / (precision + recall) if both else 0.0
    assert values["f1_score"] == pytest.approx(harmonic)
    assert values["iou"] == pytest.approx(both / either if either else 0.0)
    assert values["average_precision"] == pytest.approx(average_precision(logits, targets))


def average_precision(logits, targets):
    """Return the sum of precision times gain in recall over all thresholds."""
    total, found_before = 0.0, 0
    for threshold in sorted(set(logits.tolist()), reverse=True):
        taken = logits >= threshold
        found = (taken & targets).sum()
        total += found / taken.sum() * (found - found_before)
        found_before = found
    return total / targets.sum() if targets.any() else 0.0


def test_the_whole_pipeline():
    """The reference computes min-max, RX, mean + 2 sigma and sigmoid in float64."""
    rng = np.random.default_rng(3)
    channels = 61
    spectra = rng.uniform(500, 3000, (5, channels))
    shares = rng.dirichlet(np.ones(5), (3, 48, 48))
    train = shares @ spectra + rng.normal(0, 20, (3, 48, 48, channels))
    train = np.clip(train, 0, 4095).astype(np.uint16)
    test = train[:1].copy()
    test[0, 10:12, 10:13] = rng.integers(0, 4095, (2, 3, channels))
    wavelengths = torch.arange(channels, dtype=torch.int32)

    pipeline = fit_pipeline(
        build_pipeline(rx_config(channels)),
        *({"cube": torch.from_numpy(one[None]), "wavelengths": wavelengths} for one in train),
    )
    outputs = infer(pipeline, {"cube": torch.from_numpy(test), "wavelengths": wavelengths})

    low, high = float(train.min()), float(train.max())

    def normalize(x):
        return (x.astype(np.float64) - low) / (high - low)

    _, _, train_scores = rx_reference(normalize(train), normalize(train), 1e-6)
    _, _, scores = rx_reference(normalize(train), normalize(test), 1e-6)
    bias = train_scores.mean() + 2 * train_scores.std(ddof=1)
    np.testing.assert_allclose(outputs["RXGlobal.scores"].numpy(), scores, rtol=2e-3)
    logits = outputs["ScoreToLogit.logits"].numpy()
    np.testing.assert_allclose(logits, scores - bias, rtol=2e-3, atol=0.2)
    clear = np.abs(scores - bias) > 0.5
    decisions = outputs["BinaryDecider.decisions"].numpy()
    assert np.array_equal(decisions[clear], (scores - bias >= 0)[clear])
    assert decisions[0, 10:12, 10:13].all()


def test_thread_count_changes_no_bit():
    pipeline = fitted_rx(61)
    rng = np.random.default_rng(1)
    batch = {
        "cube": torch.from_numpy(rng.integers(0, 4096, (1, 100, 90, 61)).astype(np.uint16)),
        "wavelengths": torch.arange(61),
    }
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(infer(pipeline, batch, "scores")["RXGlobal.scores"])
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)
