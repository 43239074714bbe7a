"""Quantiles of tensors of any size, with linear interpolation.

The quantile q of n values is the value at rank ``q * (n - 1)`` of the sorted values, counted from
0. For up to 2^24 values, the rank is rounded to the dtype of the values, so that the results equal
those of `torch.quantile` bit for bit. For more values, where `torch.quantile` fails, it is float64.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

_EXACT_IN_FLOAT32 = 2**24


def quantile(values: Tensor, level: float, dims: Sequence[int] | None = None) -> Tensor:
    """Return one quantile, without sorting.

    Args:
        values: float32 or float64 of any shape.
        level: 0 to 1.
        dims: axes that the quantile is taken over; None: all but the first.

    Returns:
        Quantiles of the shape of `values` with `dims` reduced to 1; NaN where a value is NaN.
    """
    grouped_GN, shape = _grouped(values, dims)
    count = grouped_GN.shape[-1]
    below, weight = _rank(level, count, values.dtype)
    # Searching from the nearer end is faster.
    from_top = count - below <= below + 2
    kept = count - below if from_top else min(below + 2, count)
    ends = grouped_GN.topk(kept, largest=from_top, sorted=False).values
    pair = ends.topk(min(2, count - below), largest=not from_top).values
    low, high = pair.aminmax(dim=-1)
    return _between(low, high, weight, grouped_GN).reshape(shape)


def quantiles(
    values: Tensor, levels: Sequence[float], dims: Sequence[int] | None = None
) -> Iterator[Tensor]:
    """Yield many quantiles in turn, each like `quantile`, sorting only once."""
    grouped_GN, shape = _grouped(values, dims)
    count = grouped_GN.shape[-1]
    sorted_GN = grouped_GN.sort(dim=-1).values
    for level in levels:
        below, weight = _rank(level, count, values.dtype)
        low, high = sorted_GN[..., below], sorted_GN[..., min(below + 1, count - 1)]
        yield _between(low, high, weight, grouped_GN).reshape(shape)


def _grouped(values: Tensor, dims: Sequence[int] | None) -> tuple[Tensor, list[int]]:
    """Return the values with the reduced axes flattened into the last, and the reduced shape."""
    axes = range(values.ndim)
    reduced = axes[1:] if dims is None else sorted({axes[dim] for dim in dims})
    kept = [axis for axis in axes if axis not in reduced]
    shape = [values.shape[axis] if axis in kept else 1 for axis in axes]
    return values.permute(*kept, *reduced).flatten(len(kept)), shape


def _rank(level: float, count: int, dtype: torch.dtype) -> tuple[int, float]:
    """Return the rank below a quantile, and the fraction of the distance to the next rank."""
    exact = level * (count - 1)
    rank = float(torch.tensor(level, dtype=dtype) * (count - 1))
    rank = rank if count <= _EXACT_IN_FLOAT32 else exact
    below = int(rank)
    return below, rank - below


def _between(low: Tensor, high: Tensor, weight: float, grouped_GN: Tensor) -> Tensor:
    return torch.where(grouped_GN.isnan().any(dim=-1), torch.nan, torch.lerp(low, high, weight))
