"""The nodes of Deep SVDD against their formulas in float64 numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_engine import Context, Stage
from fleet_engine.graph.errors import GraphInvalid
from fleet_platform.errors import InvalidInput
from tests.numerics.single_node import CONTEXT, fit, gradients_agree, made, run, scene, state_shapes

MODULE = "cuvis_ai.anomaly.deep_svdd."
Z_SCORE = MODULE + "ZScoreNormalizerGlobal"
PROJECTION = MODULE + "DeepSVDDProjection"
TRACKER = MODULE + "DeepSVDDCenterTracker"
SCORES = MODULE + "DeepSVDDScores"
EXTENTS = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
TRAIN = Context(Stage.TRAIN, epoch=2, batch_idx=3)


@settings(max_examples=25, deadline=None)
@given(
    extent=EXTENTS,
    channels=st.integers(1, 12),
    seed=st.integers(0, 99),
    eps=st.sampled_from([0.0, 1e-8, 0.5]),
)
def test_z_score_of_the_training_data(extent, channels, seed, eps):
    train, test = scene((2, 9, 7), channels, seed), scene(extent, channels, seed + 1)
    normalizer = fit(made(Z_SCORE, num_channels=channels, eps=eps), "data", train[:1], train[1:])
    pixels = train.reshape(-1, channels).astype(np.float64)
    mean, std = pixels.mean(axis=0), pixels.std(axis=0, ddof=1) + eps
    np.testing.assert_allclose(normalizer.zscore_mean.numpy(), mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(normalizer.zscore_std.numpy(), std, rtol=1e-6)
    got = run(normalizer, "data", test)["normalized"]
    np.testing.assert_allclose(got, (test - mean) / std, rtol=1e-4, atol=1e-5)


def test_z_score_statistics_survive_a_large_offset():
    train = (scene((2, 40, 40), 5, 8).astype(np.float64) * 1e-2 + 1000).astype(np.float32)
    normalizer = fit(made(Z_SCORE, num_channels=5, eps=0.0), "data", train)
    std = train.reshape(-1, 5).astype(np.float64).std(axis=0, ddof=1)
    np.testing.assert_allclose(normalizer.zscore_std.numpy(), std, rtol=1e-6)


def test_z_score_of_one_pixel_is_refused():
    with pytest.raises(InvalidInput, match="at least two pixels"):
        fit(made(Z_SCORE, num_channels=3), "data", scene((1, 1, 1), 3, 0))


def embeddings_reference(state, data, prefix):
    first, bias, second = (
        state[f"{prefix}.{key}"].numpy().astype(np.float64)
        for key in ("fc1.weight", "fc1.bias", "fc2.weight")
    )
    return np.maximum(data @ first.T + bias, 0) @ second.T


@settings(max_examples=25, deadline=None)
@given(
    extent=EXTENTS,
    channels=st.integers(1, 8),
    seed=st.integers(0, 99),
    rep_dim=st.integers(1, 6),
    hidden=st.integers(1, 10),
    batch=st.integers(1, 300),
)
def test_linear_projection(extent, channels, seed, rep_dim, hidden, batch):
    projection = made(
        PROJECTION,
        in_channels=channels,
        rep_dim=rep_dim,
        hidden=hidden,
        mlp_forward_batch_size=batch,
    )
    assert state_shapes(projection) == {
        "net.fc1.weight": (hidden, channels),
        "net.fc1.bias": (hidden,),
        "net.fc2.weight": (rep_dim, hidden),
    }
    test = scene(extent, channels, seed)
    expected = embeddings_reference(projection.state_dict(), test.astype(np.float64), "net")
    got = run(projection, "data", test)["embeddings"]
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    extent=EXTENTS,
    channels=st.integers(1, 8),
    seed=st.integers(0, 99),
    features=st.integers(1, 40),
    gamma=st.none() | st.floats(0.01, 2),
)
def test_rbf_projection(extent, channels, seed, features, gamma):
    projection = made(
        PROJECTION,
        in_channels=channels,
        rep_dim=3,
        hidden=5,
        kernel="rbf",
        n_rff=features,
        gamma=gamma,
    )
    assert state_shapes(projection) == {
        "net.0.W": (channels, features),
        "net.0.b": (features,),
        "net.0.z_scale": (),
        "net.1.fc1.weight": (5, features),
        "net.1.fc1.bias": (5,),
        "net.1.fc2.weight": (3, 5),
    }
    test = scene(extent, channels, seed)
    state = projection.state_dict()
    frequencies, phases = (state[key].numpy().astype(np.float64) for key in ("net.0.W", "net.0.b"))
    phi = np.sqrt(2 / features) * np.cos(test.astype(np.float64) @ frequencies + phases)
    expected = embeddings_reference(state, phi, "net.1")
    np.testing.assert_allclose(
        run(projection, "data", test)["embeddings"], expected, rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("gamma", [None, 0.3])
def test_random_features_approximate_the_gaussian_kernel(gamma):
    projection = made(PROJECTION, in_channels=6, kernel="rbf", n_rff=40000, gamma=gamma)
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, 6)) * 0.5
    with torch.no_grad():
        phi = projection.net[0](torch.tensor(np.stack([left, right]), dtype=torch.float32))
    width = 1 / 6 if gamma is None else gamma
    kernel = np.exp(-width * np.square(left - right).sum())
    assert float(phi[0] @ phi[1]) == pytest.approx(kernel, abs=0.02)


def test_initial_weights_are_in_the_published_ranges():
    state = made(PROJECTION, in_channels=50, hidden=1000, rep_dim=30).state_dict()
    for key, bound in (
        ("net.fc1.weight", 1 / np.sqrt(50)),
        ("net.fc1.bias", 1 / np.sqrt(50)),
        ("net.fc2.weight", np.sqrt(6 / 1030)),
    ):
        assert 0.97 * bound < state[key].abs().max() <= bound
        assert float(state[key].mean()) == pytest.approx(0, abs=0.1 * bound)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_gradients_of_the_projection(kernel):
    projection = made(
        PROJECTION,
        in_channels=3,
        rep_dim=2,
        hidden=4,
        kernel=kernel,
        n_rff=5,
        mlp_forward_batch_size=4,
    )
    assert gradients_agree(projection, data=scene((1, 2, 3), 3, 5).astype(np.float64))


def test_a_projection_trains_from_the_start_until_it_is_frozen():
    projection = made(PROJECTION, in_channels=3, kernel="rbf", n_rff=5)
    trained = {key for key, value in projection.named_parameters() if value.requires_grad}
    assert trained == {"net.1.fc1.weight", "net.1.fc1.bias", "net.1.fc2.weight"}
    data = torch.from_numpy(scene((1, 2, 2), 3, 0))
    assert projection(data=data, context=TRAIN)["embeddings"].requires_grad
    projection.freeze()
    assert not projection(data=data, context=TRAIN)["embeddings"].requires_grad
    projection.unfreeze()
    assert projection(data=data, context=TRAIN)["embeddings"].requires_grad


@settings(max_examples=25, deadline=None)
@given(
    extent=EXTENTS,
    length=st.integers(1, 9),
    seed=st.integers(0, 99),
    alpha=st.floats(0.01, 1),
    unfrozen=st.booleans(),
)
def test_center(extent, length, seed, alpha, unfrozen):
    train = scene((3, 5, 4), length, seed)
    tracker = fit(made(TRACKER, rep_dim=length, alpha=alpha), "embeddings", train[:1], train[1:])
    center = train.reshape(-1, length).astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(tracker._tracked_center.numpy(), center, rtol=1e-6, atol=1e-6)
    if unfrozen:
        tracker.unfreeze()
    for step in range(3):
        batch = scene(extent, length, seed + step)
        mean = batch.reshape(-1, length).astype(np.float64).mean(axis=0)
        center = (1 - alpha) * center + alpha * mean
        got = tracker(embeddings=torch.from_numpy(batch), context=TRAIN)
        np.testing.assert_allclose(got["center"].numpy(), center, rtol=1e-5, atol=1e-5)
    assert not got["center"].requires_grad
    assert set(tracker.state_dict()) == {"_tracked_center"}
    (metric,) = got["metrics"]
    assert (metric.name, metric.stage) == ("deepsvdd_center/norm", Stage.TRAIN)
    assert (metric.epoch, metric.batch_idx) == (2, 3)
    assert metric.value == pytest.approx(np.linalg.norm(center), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("stage", [Stage.TRAIN, Stage.VAL, Stage.TEST, Stage.INFERENCE])
@pytest.mark.parametrize("update_in_eval", [False, True])
def test_at_which_stages_the_center_moves(stage, update_in_eval):
    tracker = made(TRACKER, rep_dim=2, update_in_eval=update_in_eval)
    fit(tracker, "embeddings", np.zeros((1, 1, 1, 2), np.float32))
    given_center = run(tracker, "embeddings", np.ones((1, 1, 1, 2), np.float32), Context(stage))
    moves = stage is Stage.TRAIN or (update_in_eval and stage is not Stage.INFERENCE)
    assert given_center["center"].tolist() == pytest.approx([0.1, 0.1] if moves else [0.0, 0.0])
    assert torch.equal(tracker._tracked_center, torch.from_numpy(given_center["center"]))


def test_a_returned_center_does_not_change():
    tracker = fit(made(TRACKER, rep_dim=2), "embeddings", np.zeros((1, 1, 1, 2), np.float32))
    batch = torch.ones(1, 1, 1, 2, requires_grad=True)
    before = tracker(embeddings=batch, context=TRAIN)["center"]
    kept = before.clone()
    tracker(embeddings=batch, context=TRAIN)
    assert torch.equal(before, kept)


def test_a_center_without_pixels_is_refused():
    with pytest.raises(InvalidInput, match="at least one pixel"):
        fit(made(TRACKER, rep_dim=2), "embeddings")


@settings(max_examples=25, deadline=None)
@given(extent=EXTENTS, length=st.integers(1, 9), seed=st.integers(0, 99))
def test_scores(extent, length, seed):
    embeddings = scene(extent, length, seed)
    center = scene((1,), length, seed + 1)[0]
    got = run(made(SCORES), "embeddings", embeddings, center=torch.from_numpy(center))["scores"]
    difference = embeddings.astype(np.float64) - center
    np.testing.assert_allclose(
        got, np.square(difference).sum(axis=-1, keepdims=True), rtol=1e-5, atol=1e-6
    )


def test_gradients_of_the_scores():
    embeddings = scene((1, 2, 3), 4, 1).astype(np.float64)
    assert gradients_agree(made(SCORES), embeddings=embeddings, center=np.arange(4.0))


@pytest.mark.parametrize("length", [1, 4])
def test_scores_refuse_a_center_of_another_length(length):
    with pytest.raises(InvalidInput, match=r"'center': got float32 \[\d\]; expected float32 \[3\]"):
        made(SCORES)(
            embeddings=torch.zeros(1, 2, 2, 3), center=torch.zeros(length), context=CONTEXT
        )


@pytest.mark.parametrize(
    ("class_name", "hparams"),
    [
        (Z_SCORE, {"num_channels": 0}),
        (PROJECTION, {"in_channels": 0}),
        (PROJECTION, {"in_channels": 3, "kernel": "poly"}),
        (PROJECTION, {"in_channels": 3, "gamma": 0.0}),
        (PROJECTION, {"in_channels": 3, "mlp_forward_batch_size": 0}),
        (TRACKER, {"rep_dim": 0}),
        (TRACKER, {"rep_dim": 3, "alpha": 0.0}),
        (TRACKER, {"rep_dim": 3, "alpha": 1.1}),
    ],
)
def test_wrong_hparams_are_named(class_name, hparams):
    with pytest.raises(GraphInvalid, match=f"hparam '{list(hparams)[-1]}'"):
        made(class_name, **hparams)
