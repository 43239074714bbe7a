"""The reference for the server: global RX in float64, and the rates of decisions."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

Array = npt.NDArray[np.float64]
_PIXELS_PER_BLOCK = 65_536
_EPS = 1e-6


def global_rx(cubes_NHWC: npt.NDArray[Any]) -> Array:
    """Return the squared Mahalanobis distance of each pixel (Reed & Yu 1990) in float64.

    Like the served pipeline, it scales the values to the range from their minimum to their maximum
    and adds 1e-6 to the diagonal of the covariance.

    Returns:
        Scores [N,H,W].
    """
    bands = cubes_NHWC.shape[-1]
    pixels = cubes_NHWC.reshape(-1, bands)
    lowest, highest = float(pixels.min()), float(pixels.max())
    span = max(highest - lowest, _EPS)

    def scaled() -> Iterator[Array]:
        for start in range(0, len(pixels), _PIXELS_PER_BLOCK):
            yield (pixels[start : start + _PIXELS_PER_BLOCK].astype(np.float64) - lowest) / span

    mean = sum(part.sum(axis=0) for part in scaled()) / len(pixels)
    scatter = np.zeros((bands, bands))
    for part in scaled():
        scatter += (part - mean).T @ (part - mean)
    factor = cho_factor(scatter / (len(pixels) - 1) + _EPS * np.eye(bands))
    scores = [
        np.einsum("pc,cp->p", part - mean, cho_solve(factor, (part - mean).T)) for part in scaled()
    ]
    return np.concatenate(scores).reshape(cubes_NHWC.shape[:-1])


def operating_point(
    decisions: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the false alarm rate and detection rate; the truth must contain both classes."""
    return float(decisions[~truth].mean()), float(decisions[truth].mean())
