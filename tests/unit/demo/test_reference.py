"""The float64 reference and the ROC against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvis_fleet.demo import reference
from cuvis_fleet.demo.reference import global_rx, operating_point
from cuvis_fleet.pictures import Roc


@pytest.mark.parametrize("pixels_per_block", [7, 10_000])
def test_global_rx_is_the_squared_mahalanobis_distance(monkeypatch, pixels_per_block):
    monkeypatch.setattr(reference, "_PIXELS_PER_BLOCK", pixels_per_block)
    random = np.random.default_rng(5)
    cubes = random.integers(0, 4000, (2, 6, 5, 4)).astype(np.uint16)
    x = (cubes.reshape(-1, 4) - float(cubes.min())) / (float(cubes.max()) - float(cubes.min()))
    inverse = np.linalg.inv(np.cov(x.T) + 1e-6 * np.eye(4))
    centred = x - x.mean(axis=0)
    want = np.array([pixel @ inverse @ pixel for pixel in centred]).reshape(2, 6, 5)
    np.testing.assert_allclose(global_rx(cubes), want, rtol=1e-9)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_is_the_probability_to_rank_an_anomaly_above_background(pixels):
    scores = np.array([score for score, _ in pixels], float)
    truth = np.array([anomalous for _, anomalous in pixels])
    if truth.all() or not truth.any():
        return
    above = scores[truth][:, None] - scores[~truth][None, :]
    want = ((above > 0) + 0.5 * (above == 0)).mean()
    curve = Roc.of(scores, truth)
    assert curve.auc == pytest.approx(want)
    under = np.trapezoid(curve.detection_rate, curve.false_alarm_rate)
    assert under == pytest.approx(want)
    assert (curve.false_alarm_rate[-1], curve.detection_rate[-1]) == (1.0, 1.0)


def test_the_operating_point_is_on_the_curve():
    random = np.random.default_rng(1)
    scores, truth = random.normal(size=500), random.random(500) < 0.2
    false_alarms, detections = operating_point(scores >= 0.5, truth)
    curve = Roc.of(scores, truth)
    at_same_rate = np.isclose(curve.false_alarm_rate, false_alarms)
    assert detections in curve.detection_rate[at_same_rate]
