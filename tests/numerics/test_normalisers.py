"""The normalisers that need no fit, against their formulas in float64 numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_engine.graph.errors import GraphInvalid
from tests.numerics.single_node import gradients_agree, made, run, scene, state_shapes

MODULE = "cuvis_ai.node.normalization."
UNIT, IDENTITY, SIGMOID, Z_SCORE, TRANSFORM = (
    MODULE + name
    for name in (
        "PerPixelUnitNorm",
        "IdentityNormalizer",
        "SigmoidNormalizer",
        "ZScoreNormalizer",
        "SigmoidTransform",
    )
)
EXTENTS = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
AXES = st.none() | st.lists(st.integers(-4, 3), max_size=4)


def logistic(x):
    return 1 / (1 + np.exp(-x))


@settings(max_examples=25, deadline=None)
@given(extent=EXTENTS, channels=st.integers(1, 12), seed=st.integers(0, 99))
def test_unit_norm(extent, channels, seed):
    test = scene(extent, channels, seed)
    centred = test.astype(np.float64) - test.astype(np.float64).mean(axis=-1, keepdims=True)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    got = run(made(UNIT), "data", test)["normalized"]
    np.testing.assert_allclose(got, centred / np.maximum(length, 1e-8), rtol=1e-4, atol=1e-5)


def test_unit_norm_of_a_flat_spectrum_is_zero():
    got = run(made(UNIT), "data", np.full((1, 1, 2, 3), 4.0, np.float32))["normalized"]
    assert not got.any()


def test_unit_norm_divides_at_least_by_eps():
    got = run(made(UNIT, eps=10.0), "data", np.array([[[[1.0, 3.0]]]], np.float32))["normalized"]
    np.testing.assert_allclose(got, [[[[-0.1, 0.1]]]])


def test_identity():
    data = torch.from_numpy(scene((1, 2, 2), 3, 0))
    assert made(IDENTITY)(data=data)["normalized"] is data


@settings(max_examples=25, deadline=None)
@given(
    extent=EXTENTS,
    channels=st.integers(1, 6),
    seed=st.integers(0, 99),
    floor=st.sampled_from([1e-6, 0.5, 4.0]),
)
def test_sigmoid_around_the_median(extent, channels, seed, floor):
    test = scene(extent, channels, seed)
    pixels = test.astype(np.float64).reshape(extent[0], -1, channels)
    median = np.sort(pixels, axis=1)[:, [(pixels.shape[1] - 1) // 2]]
    std = np.maximum(pixels.std(axis=1, keepdims=True), floor)
    got = run(made(SIGMOID, std_floor=floor), "data", test)["normalized"]
    np.testing.assert_allclose(
        got, logistic((pixels - median) / std).reshape(test.shape), rtol=1e-4, atol=1e-5
    )


@settings(max_examples=60, deadline=None)
@given(
    extent=EXTENTS,
    channels=st.integers(1, 6),
    seed=st.integers(0, 99),
    dims=AXES,
    eps=st.sampled_from([1e-6, 0.5]),
    keepdim=st.booleans(),
)
def test_z_score(extent, channels, seed, dims, eps, keepdim):
    test = scene(extent, channels, seed)
    axes = (1, 2) if dims is None else tuple({axis % 4 for axis in dims}) or None
    wide = test.astype(np.float64)
    expected = (wide - wide.mean(axis=axes, keepdims=True)) / (
        wide.std(axis=axes, keepdims=True) + eps
    )
    got = run(made(Z_SCORE, dims=dims, eps=eps, keepdim=keepdim), "data", test)["normalized"]
    # If all values along the axes are equal, the result is rounding error divided by eps.
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4 + 1e-6 / eps)


def test_only_a_z_score_along_the_spectrum_is_pixelwise():
    assert made(Z_SCORE, dims=[3]).pixel_ports == made(Z_SCORE, dims=[-1]).pixel_ports != set()
    assert made(Z_SCORE).pixel_ports == made(Z_SCORE, dims=[1, 3]).pixel_ports == set()


@settings(max_examples=25, deadline=None)
@given(extent=EXTENTS, channels=st.integers(1, 6), seed=st.integers(0, 99))
def test_sigmoid_transform(extent, channels, seed):
    test = scene(extent, channels, seed)
    got = run(made(TRANSFORM), "data", test)["transformed"]
    np.testing.assert_allclose(got, logistic(test.astype(np.float64)), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("class_name", "hparams"),
    [
        (UNIT, {}),
        (IDENTITY, {}),
        (SIGMOID, {}),
        (Z_SCORE, {}),
        (Z_SCORE, {"dims": [3]}),
        (Z_SCORE, {"dims": []}),
        (TRANSFORM, {}),
    ],
)
def test_gradients(class_name, hparams):
    normalizer = made(class_name, **hparams)
    assert state_shapes(normalizer) == {}
    assert gradients_agree(normalizer, data=scene((2, 3, 2), 3, 4).astype(np.float64))


@pytest.mark.parametrize("class_name", [UNIT, SIGMOID, Z_SCORE])
def test_gradients_of_constant_data_are_finite(class_name):
    data = torch.ones(1, 3, 3, 2, requires_grad=True)
    made(class_name)(data=data)["normalized"].sum().backward()
    assert bool(torch.isfinite(data.grad).all())


@pytest.mark.parametrize(
    ("class_name", "hparams"),
    [
        (UNIT, {"eps": -1.0}),
        (SIGMOID, {"std_floor": 0.0}),
        (Z_SCORE, {"dims": [4]}),
        (Z_SCORE, {"dims": [-5]}),
    ],
)
def test_wrong_hparams_are_named(class_name, hparams):
    with pytest.raises(GraphInvalid, match=f"hparam '{next(iter(hparams))}'"):
        made(class_name, **hparams)
