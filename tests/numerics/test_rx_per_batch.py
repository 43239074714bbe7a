"""RX with the background of each measurement, against its formula in float64 numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_engine.graph.errors import GraphInvalid
from tests.numerics.single_node import gradients_agree, made, run, scene, state_shapes

RX = "cuvis_ai.anomaly.rx_detector.RXPerBatch"
EXTENTS = st.tuples(st.integers(1, 3), st.integers(4, 9), st.integers(4, 9))


def reference(cube, eps):
    scores = []
    for measurement in cube.reshape(cube.shape[0], -1, cube.shape[-1]).astype(np.float64):
        covariance = np.cov(measurement, rowvar=False, ddof=1).reshape(cube.shape[-1], -1)
        covariance = covariance + eps * np.eye(cube.shape[-1])
        centred = measurement - measurement.mean(axis=0)
        scores.append((centred * np.linalg.solve(covariance, centred.T).T).sum(axis=1))
    return np.stack(scores).reshape(*cube.shape[:3], 1)


@settings(max_examples=25, deadline=None)
@given(
    extent=EXTENTS,
    channels=st.integers(1, 12),
    seed=st.integers(0, 99),
    eps=st.sampled_from([1e-6, 1e-2, 1.0]),
)
def test_rx_per_batch(extent, channels, seed, eps):
    test = scene(extent, channels, seed)
    rx = made(RX, eps=eps)
    assert state_shapes(rx) == {}
    got = run(rx, "data", test)["scores"]
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, reference(test, eps), rtol=1e-5, atol=1e-6)


def test_measurements_are_independent():
    test = scene((3, 6, 6), 5, 1)
    together = run(made(RX), "data", test)["scores"]
    alone = [run(made(RX), "data", test[i : i + 1])["scores"][0] for i in range(3)]
    assert np.array_equal(together, np.stack(alone))


def test_a_measurement_of_one_pixel_scores_zero():
    assert run(made(RX), "data", scene((1, 1, 1), 3, 0))["scores"].item() == 0.0


def test_linearly_dependent_channels_score_as_without_the_copies():
    base = scene((1, 8, 8), 3, 1)
    twice = np.concatenate([base, base], axis=-1)
    got = run(made(RX, eps=0.0), "data", twice)["scores"]
    np.testing.assert_allclose(got, reference(base, 0.0), rtol=1e-5)


@pytest.mark.parametrize("eps", [1e-6, 0.3])
def test_gradients(eps):
    assert gradients_agree(made(RX, eps=eps), data=scene((2, 3, 4), 3, 2).astype(np.float64))


def test_gradients_reach_preceding_nodes():
    data = torch.from_numpy(scene((1, 4, 4), 3, 2)).requires_grad_()
    made(RX)(data=data)["scores"].square().sum().backward()
    assert bool(data.grad.any())


def test_a_negative_eps_is_refused():
    with pytest.raises(GraphInvalid, match="hparam 'eps'"):
        made(RX, eps=-1.0)
