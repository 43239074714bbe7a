"""A fixed binning of all float32 numbers, as fine for small scores as for large ones.

The bits of a float32, with those of negative numbers turned round, order as the numbers do. Their
first 18 make 262144 bins, each at most 1/512 of its numbers wide, whatever the range of the scores.
So counts by bin add up over batches and processes, with no range agreed upon before.
"""

import torch
from torch import Tensor

_BITS = 18
BINS = 2**_BITS
"""How many bins there are."""


def bins_of(scores: Tensor) -> Tensor:
    """The bin of each score, int64, 0 for the lowest; float32 of any shape."""
    # Adding zero makes one of the two zeros.
    bits = (scores + 0.0).contiguous().view(torch.int32)
    leading = _turned(bits) >> (32 - _BITS)
    return torch.add(leading.to(torch.int64), BINS // 2)


def edges_of(bins: Tensor) -> Tensor:
    """The lowest score of each bin, float32."""
    ordered = ((bins - BINS // 2) << (32 - _BITS)).to(torch.int32)
    return _turned(ordered).view(torch.float32)


def _turned(bits: Tensor) -> Tensor:
    """Bits of floats as integers that order alike, and the other way round."""
    turned: Tensor = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return turned
