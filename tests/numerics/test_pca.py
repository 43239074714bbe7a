"""PCA against the singular value decomposition of the centred data in float64 numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_engine.graph.errors import GraphInvalid
from fleet_platform.errors import InvalidInput
from tests.numerics.single_node import fit, gradients_agree, made, run, scene, state_shapes

PCA = "cuvis_ai.node.dimensionality_reduction.TrainablePCA"
EXTENTS = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))


def spread_scene(extent, channels, seed):
    """Channels with well-separated principal variances in a random rotation."""
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(np.random.default_rng(seed // 2).normal(size=(channels, channels)))[0]
    scaled = rng.normal(size=(*extent, channels)) * 2.0 ** -np.arange(channels)
    return (scaled @ rotation + 5.0).astype(np.float32)


def svd_reference(train, components):
    pixels = train.reshape(-1, train.shape[-1]).astype(np.float64)
    mean = pixels.mean(axis=0)
    _, singular, rows = np.linalg.svd(pixels - mean, full_matrices=False)
    return mean, np.square(singular[:components]) / (len(pixels) - 1), rows[:components]


@settings(max_examples=30, deadline=None)
@given(
    data=st.data(),
    extent=EXTENTS,
    channels=st.integers(1, 8),
    seed=st.integers(0, 99),
    whiten=st.booleans(),
    method=st.sampled_from(["svd", "random"]),
)
def test_pca(data, extent, channels, seed, whiten, method):
    count = data.draw(st.integers(1, channels))
    train = spread_scene((2, 20, 20), channels, 2 * seed)
    test = spread_scene(extent, channels, 2 * seed + 1)
    pca = made(
        PCA,
        num_channels=channels,
        n_components=count,
        whiten=whiten,
        init_method=method,
        eps=1e-3,
    )
    fit(pca, "data", train[:1], train[1:])
    mean, variances, rows = svd_reference(train, count)
    got = run(pca, "data", test)
    signs = np.sign((got["components"] * rows).sum(axis=1))
    np.testing.assert_allclose(got["components"] * signs[:, None], rows, atol=2e-5)
    np.testing.assert_allclose(pca._mean.numpy(), mean, rtol=1e-6)
    np.testing.assert_allclose(pca._explained_variance.numpy(), variances, rtol=1e-5)
    np.testing.assert_allclose(
        got["explained_variance_ratio"], variances / (variances.sum() + 1e-3), rtol=1e-5
    )
    expected = (test.astype(np.float64) - mean) @ rows.T
    if whiten:
        expected = expected / np.sqrt(variances + 1e-3)
    np.testing.assert_allclose(got["projected"] * signs, expected, rtol=1e-3, atol=2e-4)


def test_whitened_components_are_uncorrelated_with_unit_variance():
    train = spread_scene((2, 30, 30), 5, 3)
    pca = fit(made(PCA, num_channels=5, n_components=3, whiten=True, eps=0.0), "data", train)
    projected = run(pca, "data", train)["projected"].reshape(-1, 3)
    np.testing.assert_allclose(np.cov(projected, rowvar=False), np.eye(3), atol=1e-4)


def test_state_is_as_published():
    pca = made(PCA, num_channels=5, n_components=2)
    shapes = {"_mean": (5,), "_explained_variance": (2,), "_components": (2, 5)}
    assert state_shapes(pca) == shapes
    pca.unfreeze()
    assert state_shapes(pca) == shapes
    assert [key for key, _ in pca.named_parameters()] == ["_components"]


def test_constant_data_has_orthonormal_components_without_variance():
    pca = fit(made(PCA, num_channels=3, n_components=3), "data", np.ones((1, 2, 2, 3), np.float32))
    components = pca._components.numpy()
    np.testing.assert_allclose(components @ components.T, np.eye(3), atol=1e-6)
    assert not pca._explained_variance.any()


@pytest.mark.parametrize("whiten", [False, True])
def test_gradients(whiten):
    pca = fit(
        made(PCA, num_channels=4, n_components=2, whiten=whiten), "data", scene((1, 9, 9), 4, 0)
    )
    pca.unfreeze()
    assert gradients_agree(pca, data=scene((1, 2, 2), 4, 1).astype(np.float64))


def test_training_only_changes_the_components():
    pca = fit(made(PCA, num_channels=4, n_components=2), "data", scene((1, 9, 9), 4, 0))
    pca.unfreeze()
    outputs = pca(data=torch.from_numpy(scene((1, 2, 2), 4, 1)))
    assert outputs["components"].requires_grad
    assert outputs["projected"].requires_grad
    assert not outputs["explained_variance_ratio"].requires_grad


def test_one_pixel_is_refused():
    with pytest.raises(InvalidInput, match="at least two pixels"):
        fit(made(PCA, num_channels=3, n_components=2), "data", scene((1, 1, 1), 3, 0))


def test_more_components_than_channels_are_refused():
    with pytest.raises(GraphInvalid, match="'n_components' is 4; it must be at most the 3"):
        made(PCA, num_channels=3, n_components=4)
