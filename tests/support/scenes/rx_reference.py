"""Global RX in float64: what ``rx_statistical`` has to compute (Reed & Yu 1990, eq. 10)."""

from dataclasses import dataclass
from typing import Self

import numpy as np

_EPS = 1e-6
_FLOAT32_EPS = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class RxReference:
    """Fitted statistics, all float64.

    Attributes:
        low: smallest value of the training cubes.
        high: largest value of the training cubes.
        mean: mean spectrum [C] after scaling to [low, high].
        inverse: pseudo-inverse of the covariance, [C, C].
        bias: mean plus two standard deviations of the training scores.
        tolerance: largest relative error that float32 may make in a score: the condition of the
            covariance times the spacing of float32, the bound for an inverted matrix.
    """

    low: float
    high: float
    mean: np.ndarray
    inverse: np.ndarray
    bias: float
    tolerance: float

    @classmethod
    def fit(cls, cubes_NHWC: np.ndarray) -> Self:
        """Fit to all pixels of the cubes."""
        cubes = cubes_NHWC.astype(np.float64)
        low, high = float(cubes.min()), float(cubes.max())
        pixels = ((cubes - low) / max(high - low, _EPS)).reshape(-1, cubes.shape[-1])
        covariance = np.cov(pixels, rowvar=False, ddof=1) + _EPS * np.eye(pixels.shape[1])
        mean, inverse = pixels.mean(axis=0), np.linalg.pinv(covariance)
        scores = np.einsum("pc,cd,pd->p", pixels - mean, inverse, pixels - mean)
        return cls(
            low=low,
            high=high,
            mean=mean,
            inverse=inverse,
            bias=float(scores.mean() + 2.0 * scores.std(ddof=1)),
            tolerance=float(np.linalg.cond(covariance)) * _FLOAT32_EPS,
        )

    def normalized(self, cube_BHWC: np.ndarray) -> np.ndarray:
        """The cube scaled to the range of the training cubes."""
        return (cube_BHWC.astype(np.float64) - self.low) / max(self.high - self.low, _EPS)

    def scores(self, cube_BHWC: np.ndarray) -> np.ndarray:
        """Squared Mahalanobis distance of each pixel, [B, H, W, 1]."""
        distance = self.normalized(cube_BHWC) - self.mean
        return np.einsum("bhwc,cd,bhwd->bhw", distance, self.inverse, distance)[..., None]

    def logits(self, cube_BHWC: np.ndarray) -> np.ndarray:
        """Scores above the bias; their sigmoid is at least one half where they are not negative."""
        return self.scores(cube_BHWC) - self.bias

    def assert_matches(self, outputs: dict[str, np.ndarray], cube_BHWC: np.ndarray) -> None:
        """Hold the outputs of ``rx_statistical``, keyed by bare port name, against this."""
        assert self.tolerance < 1e-2, "the scene is too ill-conditioned to prove anything"
        np.testing.assert_array_equal(outputs["cube"], cube_BHWC.astype(np.float32))
        np.testing.assert_allclose(
            outputs["normalized"], self.normalized(cube_BHWC), rtol=0, atol=4 * _FLOAT32_EPS
        )
        scores, logits = self.scores(cube_BHWC), self.logits(cube_BHWC)
        slack = self.tolerance * float(scores.mean())
        np.testing.assert_allclose(outputs["scores"], scores, rtol=self.tolerance, atol=slack)
        margin = self.tolerance * scores + slack + self.tolerance * self.bias
        assert np.all(np.abs(outputs["logits"] - logits) <= margin)
        decided = np.abs(logits) > margin
        assert decided.mean() > 0.99, "nearly every pixel has to be clear of the threshold"
        np.testing.assert_array_equal(outputs["decisions"][decided], (logits >= 0)[decided])
        assert outputs["decisions"].dtype == np.bool_
