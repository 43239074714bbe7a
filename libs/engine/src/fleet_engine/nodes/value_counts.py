"""How often each value of a band occurs in either class, and what follows from it."""

import math

import numpy as np
import torch
from torch import Tensor

DISTINCT = 65536
"""Distinct values of a band that are kept apart: as many as 16 bits can tell apart."""

_MAGNITUDE = 0x7FFFFFFF


class ValueCounts:
    """Counts of the float32 values of one band among negative and positive pixels.

    Exact for any number of pixels as long as they have at most `DISTINCT` different values, as
    those of a sensor of up to 16 bits have, scaled or not. Where there are more, neighbouring
    values are counted together: the lowest bits of the float are dropped, as few as needed. The
    counts do not depend on the order or the batches in which the pixels came.

    Attributes:
        keys_K: the values as integers of the same order, rising, `shift` low bits dropped.
        counts_2K: number of negative and of positive pixels of each, int64.
        shift: bits dropped.
    """

    def __init__(self, device: torch.device) -> None:
        self.keys_K = torch.zeros(0, dtype=torch.int32, device=device)
        self.counts_2K = torch.zeros(2, 0, dtype=torch.int64, device=device)
        self.shift = 0

    def update(self, values_N: Tensor, positive_N: Tensor) -> None:
        """Count finite float32 values, each with its class."""
        classes_2N = torch.stack((~positive_N, positive_N)).to(torch.int64)
        self.add(_to_keys(values_N), classes_2N, 0)

    def add(self, keys_K: Tensor, counts_2K: Tensor, shift: int) -> None:
        """Add other counts, made with `shift` bits dropped."""
        dropped = max(shift, self.shift)
        keys = torch.cat((self.keys_K >> (dropped - self.shift), keys_K >> (dropped - shift)))
        counts = torch.cat((self.counts_2K, counts_2K), dim=1)
        distinct, place = torch.unique(keys, return_inverse=True)
        while True:
            summed = counts.new_zeros(2, len(distinct)).index_add_(1, place, counts)
            if len(distinct) <= DISTINCT:
                break
            dropped += 1
            counts = summed
            distinct, place = torch.unique_consecutive(distinct >> 1, return_inverse=True)
        self.keys_K, self.counts_2K, self.shift = distinct, summed, dropped

    def auc(self) -> float:
        """Return the area under the ROC curve of the value as a score.

        The probability that a positive pixel has the greater value, equal ones counted half (Mann
        & Whitney 1947). Both classes must have pixels.
        """
        negative_K, positive_K = self.counts_2K.to(torch.float64)
        below_K = negative_K.cumsum(dim=0) - negative_K / 2
        pairs = negative_K.sum() * positive_K.sum()
        return float((positive_K * below_K).sum() / pairs)

    def mutual_information(self, bins: int) -> float:
        """Return the mutual information of class and binned value, in bits.

        The bins begin at `bins` values, evenly spaced from the least to the greatest; so the last
        holds the greatest value alone. Both classes must have pixels.
        """
        values_K = _to_values(self.keys_K << self.shift)
        low, high = values_K[[0, -1]].cpu().numpy()
        starts = torch.from_numpy(np.linspace(low, high, bins)).to(values_K)
        bin_K = torch.bucketize(values_K, starts, right=True) - 1
        joint_2B = torch.zeros(2, bins, dtype=torch.float64, device=values_K.device)
        joint_2B.index_add_(1, bin_K, self.counts_2K.to(torch.float64))
        joint_2B = joint_2B[:, joint_2B.sum(dim=0) > 0] / self.counts_2K.sum()
        independent_2B = joint_2B.sum(dim=1, keepdim=True) * joint_2B.sum(dim=0)
        return float(torch.xlogy(joint_2B, joint_2B / independent_2B).sum()) / math.log(2)


def _to_keys(values_N: Tensor) -> Tensor:
    """Integers in the order of the floats; both zeros are one."""
    bits = (values_N.to(torch.float32) + 0.0).view(torch.int32)
    return torch.where(bits < 0, bits ^ _MAGNITUDE, bits)


def _to_values(keys_K: Tensor) -> Tensor:
    return torch.where(keys_K < 0, keys_K ^ _MAGNITUDE, keys_K).view(torch.float32)
