"""LAD against its formula in float64 numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.numerics.single_node import fit, gradients_agree, made, run, scene, state_shapes

LAD = "cuvis_ai.anomaly.lad_detector.LADGlobal"
EXTENTS = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))


def laplacian_reference(mean, normalize):
    """Return the Laplacian entry by entry, following the definition."""
    channels, alpha = len(mean), mean.mean()
    laplacian = np.zeros((channels, channels))
    for i in range(channels):
        for j in range(channels):
            if i != j:
                weight = 1 / (1 + ((mean[i] - mean[j]) / alpha) ** 2)
                laplacian[i, j] -= weight
                laplacian[i, i] += weight
    if normalize and channels > 1:
        scale = 1 / np.sqrt(np.diag(laplacian))
        laplacian = laplacian * np.outer(scale, scale)
    return laplacian


@settings(max_examples=40, deadline=None)
@given(
    extent=EXTENTS,
    channels=st.integers(1, 12),
    seed=st.integers(0, 99),
    offset=st.sampled_from([-30.0, 30.0]),
    normalize=st.booleans(),
    with_numpy=st.booleans(),
)
def test_lad(extent, channels, seed, offset, normalize, with_numpy):
    train = scene((3, 9, 7), channels, seed, offset)
    test = scene(extent, channels, seed + 1, offset)
    lad = made(
        LAD,
        num_channels=channels,
        normalize_laplacian=normalize,
        use_numpy_laplacian=with_numpy,
    )
    fit(lad, "data", train[:1], train[1:])
    mean = train.reshape(-1, channels).astype(np.float64).mean(axis=0)
    laplacian = laplacian_reference(mean, normalize)
    np.testing.assert_allclose(lad.M.numpy(), mean, rtol=1e-12)
    np.testing.assert_allclose(lad.L.numpy(), laplacian, rtol=1e-9, atol=1e-12)
    centred = test.astype(np.float64) - mean
    expected = np.einsum("bhwi,ij,bhwj->bhw", centred, laplacian, centred)[..., None]
    got = run(lad, "data", test)["scores"]
    assert got.dtype == np.float32
    bound = np.abs(laplacian).sum() * np.square(centred).max()
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6 * bound)


def test_state_is_float64_as_published():
    lad = made(LAD, num_channels=4)
    assert state_shapes(lad) == {"M": (4,), "L": (4, 4)}
    assert {value.dtype for value in lad.state_dict().values()} == {torch.float64}


@pytest.mark.parametrize("normalize", [False, True])
def test_a_mean_spectrum_of_zero_mean_has_a_finite_laplacian(normalize):
    lad = made(LAD, num_channels=3, normalize_laplacian=normalize)
    fit(lad, "data", np.broadcast_to(np.float32([-1, 0, 1]), (1, 2, 2, 3)).copy())
    assert bool(torch.isfinite(lad.L).all())
    assert torch.equal(lad.L, lad.L.T)


@pytest.mark.parametrize("unfrozen", [False, True])
def test_gradients(unfrozen):
    lad = fit(made(LAD, num_channels=4), "data", scene((1, 5, 5), 4, 2, 20.0))
    if unfrozen:
        lad.unfreeze()
    assert gradients_agree(lad, data=scene((1, 2, 2), 4, 3, 20.0).astype(np.float64))
