"""Area under the curve of precision over recall, as a sum of steps.

``AP = sum_k precision_k * (recall_k - recall_(k-1))`` over all distinct scores from the highest,
with everything that scores at least the k-th taken as found.
"""

import torch
from torch import Tensor


def average_precision(scores_N: Tensor, targets_N: Tensor) -> float:
    """Average precision of scores against bool targets; 0 without a positive."""
    ranked_N, order_N = torch.sort(scores_N, descending=True)
    # Pixels of equal score are found together: only the last of each run counts.
    last_N = torch.ones_like(ranked_N, dtype=torch.bool)
    last_N[:-1] = ranked_N[1:] != ranked_N[:-1]
    return _area(targets_N[order_N].cumsum(0)[last_N], last_N.nonzero().squeeze(1) + 1)


def average_precision_of_counts(positives_K: Tensor, negatives_K: Tensor) -> float:
    """The same of counts by distinct score, which ascends with k."""
    found_K = positives_K.flip(0).cumsum(0)
    return _area(found_K, found_K + negatives_K.flip(0).cumsum(0))


def _area(found_K: Tensor, taken_K: Tensor) -> float:
    """The sum over steps, from counts of positives and of all that score at least the k-th."""
    positives = int(found_K[-1]) if len(found_K) else 0
    if not positives:
        return 0.0
    found_K = found_K.to(torch.float64)
    gain_K = torch.diff(found_K, prepend=found_K.new_zeros(1)) / positives
    return float((found_K / taken_K.clamp(min=1) * gain_K).sum())
