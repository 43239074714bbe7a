"""Quantiles of tensors of any size, linear between the two neighbouring values.

The quantile q of n values is the value at rank ``q * (n - 1)`` of the sorted ones, from 0. Up to
2^24 values the numbers are those of `torch.quantile` to the bit, whose rank is rounded to the
values' dtype; beyond, where that refuses, the rank is taken in float64.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

_EXACT_IN_FLOAT32 = 2**24


def quantile(values: Tensor, level: float, dims: Sequence[int] | None = None) -> Tensor:
    """One quantile, without sorting.

    Args:
        values: float32 or float64 of any shape.
        level: 0 to 1.
        dims: what the quantile is taken over; None: all but the first.

    Returns:
        The values' shape with the dims reduced to 1; NaN where a value is.
    """
    grouped_GN, shape = _grouped(values, dims)
    count = grouped_GN.shape[-1]
    below, weight = _rank(level, count, values.dtype)
    # The nearer end of the order is shorter to look through.
    from_top = count - below <= below + 2
    kept = count - below if from_top else min(below + 2, count)
    ends = grouped_GN.topk(kept, largest=from_top, sorted=False).values
    pair = ends.topk(min(2, count - below), largest=not from_top).values
    low, high = pair.aminmax(dim=-1)
    return _between(low, high, weight, grouped_GN).reshape(shape)


def quantiles(
    values: Tensor, levels: Sequence[float], dims: Sequence[int] | None = None
) -> Iterator[Tensor]:
    """Give many quantiles in turn, each as `quantile` does, sorting once."""
    grouped_GN, shape = _grouped(values, dims)
    count = grouped_GN.shape[-1]
    sorted_GN = grouped_GN.sort(dim=-1).values
    for level in levels:
        below, weight = _rank(level, count, values.dtype)
        low, high = sorted_GN[..., below], sorted_GN[..., min(below + 1, count - 1)]
        yield _between(low, high, weight, grouped_GN).reshape(shape)


def _grouped(values: Tensor, dims: Sequence[int] | None) -> tuple[Tensor, list[int]]:
    """The values with those that belong together along the last axis, and the reduced shape."""
    axes = range(values.ndim)
    reduced = axes[1:] if dims is None else sorted({axes[dim] for dim in dims})
    kept = [axis for axis in axes if axis not in reduced]
    shape = [values.shape[axis] if axis in kept else 1 for axis in axes]
    return values.permute(*kept, *reduced).flatten(len(kept)), shape


def _rank(level: float, count: int, dtype: torch.dtype) -> tuple[int, float]:
    """The rank of a quantile: the rank below, and how far it is to the next."""
    exact = level * (count - 1)
    rank = float(torch.tensor(level, dtype=dtype) * (count - 1))
    rank = rank if count <= _EXACT_IN_FLOAT32 else exact
    below = int(rank)
    return below, rank - below


def _between(low: Tensor, high: Tensor, weight: float, grouped_GN: Tensor) -> Tensor:
    return torch.where(grouped_GN.isnan().any(dim=-1), torch.nan, torch.lerp(low, high, weight))
