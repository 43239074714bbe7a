"""Average precision: the area under the precision-recall curve as a sum of steps.

``AP = sum_k precision_k * (recall_k - recall_(k-1))`` over all distinct scores in descending
order, where everything that scores at least the k-th score counts as found.
"""

import torch
from torch import Tensor


def average_precision(scores_N: Tensor, targets_N: Tensor) -> float:
    """Return the average precision of scores against bool targets; 0 without positives."""
    ranked_N, order_N = torch.sort(scores_N, descending=True)
    # Pixels of equal score are found together: only the last of each run counts.
    last_N = torch.ones_like(ranked_N, dtype=torch.bool)
    last_N[:-1] = ranked_N[1:] != ranked_N[:-1]
    return _area(targets_N[order_N].cumsum(0)[last_N], last_N.nonzero().squeeze(1) + 1)


def average_precision_of_counts(positives_K: Tensor, negatives_K: Tensor) -> float:
    """Return the average precision of counts by distinct score, in ascending order."""
    found_K = positives_K.flip(0).cumsum(0)
    return _area(found_K, found_K + negatives_K.flip(0).cumsum(0))


def _area(found_K: Tensor, taken_K: Tensor) -> float:
    """Return the sum over steps, given positives and all pixels that score at least the k-th."""
    positives = int(found_K[-1]) if len(found_K) else 0
    if not positives:
        return 0.0
    found_K = found_K.to(torch.float64)
    gain_K = torch.diff(found_K, prepend=found_K.new_zeros(1)) / positives
    return float((found_K / taken_K.clamp(min=1) * gain_K).sum())
