"""Greedy choice of bands by maximal relevance and minimal redundancy (Ding & Peng 2005).

The value of a candidate is its score minus ``penalty * max |correlation|`` with the bands chosen
before it. The first of equal candidates is chosen.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from fleet_engine.nodes.selectors.band_lookup import Window, bands_in_window


def best_in_windows(
    scores_C: Tensor,
    correlation_CC: Tensor,
    wavelengths_nm: Sequence[float],
    windows: Iterable[Window],
    penalty: float,
) -> list[int]:
    """Choose a band in each window, in the order of the windows.

    Overlapping windows may yield the same band twice, although the penalty discourages it.

    Args:
        scores_C: relevance of each band.
        correlation_CC: absolute correlation between each pair of bands.
        wavelengths_nm: wavelength of each band.
        windows: an empty window selects the band nearest to its middle.
        penalty: weight of the redundancy.
    """
    chosen: list[int] = []
    for window in windows:
        candidates = bands_in_window(wavelengths_nm, window)
        chosen.append(_best(candidates, scores_C, correlation_CC, chosen, penalty))
    return chosen


def best_overall(scores_C: Tensor, correlation_CC: Tensor, count: int, penalty: float) -> list[int]:
    """Choose `count` different bands from the whole spectrum, beginning with the best score."""
    chosen: list[int] = []
    while len(chosen) < count:
        candidates = [band for band in range(len(scores_C)) if band not in chosen]
        chosen.append(_best(candidates, scores_C, correlation_CC, chosen, penalty))
    return chosen


def _best(
    candidates: list[int],
    scores_C: Tensor,
    correlation_CC: Tensor,
    chosen: list[int],
    penalty: float,
) -> int:
    worth_K = scores_C[candidates]
    if chosen:
        redundancy_K = correlation_CC[candidates][:, chosen].amax(dim=1)
        worth_K = worth_K - penalty * redundancy_K
    return candidates[int(torch.nonzero(worth_K == worth_K.max())[0])]
