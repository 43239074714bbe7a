"""Search for a decider's threshold on labelled pixels."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fleet_engine.nodes.deciders.decider import CalibrationImpossible

_CANDIDATES = 256


def require_labelled(decider: str, scores: Sequence[Tensor], targets: Sequence[Tensor]) -> None:
    """Refuse scores and labels that do not determine a threshold.

    Raises:
        CalibrationImpossible: shapes differ, only one class occurs, or a score is not finite.
    """
    for index, (score, target) in enumerate(zip(scores, targets, strict=True)):
        if score.shape[:-1] != target.shape[:-1]:
            raise CalibrationImpossible(
                f"Decider '{decider}': scores {list(score.shape)} and labels {list(target.shape)} "
                f"of measurement {index} of the split differ in their pixels."
            )
        if not bool(torch.isfinite(score).all()):
            raise CalibrationImpossible(
                f"Decider '{decider}': measurement {index} of the split has scores that are NaN or "
                "infinite; a threshold needs finite ones."
            )
    anomalous = sum(int(target.sum()) for target in targets)
    if anomalous in (0, sum(target.numel() for target in targets)):
        kind = "anomalous" if anomalous else "normal"
        raise CalibrationImpossible(
            f"Decider '{decider}': all labelled pixels are {kind}; a threshold needs both kinds."
        )


def candidate_levels(pixels: int) -> npt.NDArray[np.float64]:
    """Return quantile levels whose distances from 1 run geometrically from 1 / pixels to 1 / 2."""
    return 1 - np.geomspace(1 / pixels, 0.5, _CANDIDATES)


def agreement(found: Tensor, true: Tensor) -> tuple[int, int, int]:
    """Return the counts of true positives, found pixels and true pixels."""
    return int((found & true).sum()), int(found.sum()), int(true.sum())


def best(agreements: npt.NDArray[np.int64]) -> tuple[int, dict[str, float]]:
    """Return the last of the rows (hits, found, true) with the largest F1, and its metrics.

    ``F1 = 2 hits / (found + true)``; rows ascend with the threshold, so that the larger of two
    equally good thresholds is chosen.
    """
    hits, found, true = agreements.T
    f1 = 2 * hits / np.maximum(found + true, 1)
    index = len(f1) - 1 - int(np.argmax(f1[::-1]))
    metrics = {
        "precision": float(hits[index] / max(found[index], 1)),
        "recall": float(hits[index] / max(true[index], 1)),
        "f1_score": float(f1[index]),
    }
    return index, metrics


def best_threshold(
    scores_N: npt.NDArray[np.float32], targets_N: npt.NDArray[np.bool_]
) -> tuple[float, dict[str, float]]:
    """Return the threshold t for which ``score >= t`` has the best F1, and its metrics.

    Candidates are the quantiles of the scores at `candidate_levels`, and the largest score. The
    threshold is midway between the best candidate and the next lower score, so that scores which
    differ from it only in their last digits are on the same side.

    Args:
        scores_N: finite; sorted in place.
        targets_N: the ground truth of each score; both classes occur.
    """
    positives = np.sort(scores_N[targets_N])
    scores_N.sort()
    count = len(scores_N)
    rank = candidate_levels(count) * (count - 1)
    below = rank.astype(np.int64)
    low, high = scores_N[below].astype(np.float64), scores_N[np.minimum(below + 1, count - 1)]
    levels = (low + (rank - below) * (high - low)).astype(np.float32)
    candidates = np.unique(np.append(levels, scores_N[-1]))
    hits = len(positives) - np.searchsorted(positives, candidates)
    found = count - np.searchsorted(scores_N, candidates)
    index, metrics = best(np.stack([hits, found, np.full_like(hits, len(positives))], axis=1))
    return _midway(scores_N, candidates[index]), metrics


def _midway(sorted_N: npt.NDArray[np.float32], winner: np.float32) -> float:
    lower = int(np.searchsorted(sorted_N, winner)) - 1
    if lower < 0:
        return float(winner)
    middle = (float(winner) + float(sorted_N[lower])) / 2
    # There is no number between two adjacent floats.
    return middle if np.float32(middle) > sorted_N[lower] else float(winner)
