"""A fixed binning of all float32 numbers with constant relative width.

The bits of float32 numbers, inverted for negative ones, sort in the order of the numbers. Their
first 18 bits define 262144 bins, each at most 1/512 of its numbers wide, whatever the range of the
scores. Counts by bin therefore add up over batches and processes without a predefined range.
"""

import torch
from torch import Tensor

_BITS = 18
BINS = 2**_BITS
"""Number of bins."""


def bins_of(scores: Tensor) -> Tensor:
    """Return the bin of each score, int64, 0 for the lowest; scores are float32 of any shape."""
    # Adding zero turns -0.0 into 0.0.
    bits = (scores + 0.0).contiguous().view(torch.int32)
    leading = _turned(bits) >> (32 - _BITS)
    return torch.add(leading.to(torch.int64), BINS // 2)


def edges_of(bins: Tensor) -> Tensor:
    """Return the lowest score of each bin, float32."""
    ordered = ((bins - BINS // 2) << (32 - _BITS)).to(torch.int32)
    return _turned(ordered).view(torch.float32)


def _turned(bits: Tensor) -> Tensor:
    """Convert the bits of floats to integers of the same order, or back."""
    turned: Tensor = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return turned
