"""What a node's port takes or gives."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

FREE = -1
"""A dimension of any size."""

_AXES = {1: "C", 2: "BC", 3: "BHW", 4: "BHWC"}


@dataclass(frozen=True, slots=True)
class PortSpec:
    """Type of a port.

    Attributes:
        dtype: dtype of the tensor; None: any.
        shape: size of each dimension, -1 for any. With dtype None, () means any Python value.
        description: what the values are, with unit.
        optional: the node runs without it (input), or may not give it (output).
        variadic: an input that takes any number of sources and sees them as a list.
        checked_by_node: the node itself judges dtype and rank, because it takes more than one form;
            `dtype` and `shape` then are the form that it is published with.
    """

    dtype: torch.dtype | None
    shape: tuple[int, ...]
    description: str = ""
    optional: bool = False
    variadic: bool = False
    checked_by_node: bool = False

    @property
    def is_any(self) -> bool:
        """Whether every Python value fits."""
        return self.dtype is None and not self.shape

    def takes(self, source: "PortSpec") -> bool:
        """Whether a connection from `source` can fit; -1 matches anything."""
        if self.is_any or source.is_any or self.checked_by_node:
            return True
        return (
            (None in (self.dtype, source.dtype) or self.dtype == source.dtype)
            and len(self.shape) == len(source.shape)
            and all(
                FREE in pair or pair[0] == pair[1]
                for pair in zip(self.shape, source.shape, strict=True)
            )
        )

    def always_takes(self, source: "PortSpec") -> bool:
        """Whether whatever `source` gives fits, so that a run need not look."""
        if self.is_any or self.checked_by_node:
            return True
        return (
            self.dtype in (None, source.dtype)
            and len(self.shape) == len(source.shape)
            and all(own in (FREE, its) for own, its in zip(self.shape, source.shape, strict=True))
        )

    def admits(self, value: object) -> bool:
        """Whether this very value fits."""
        if self.is_any:
            return True
        if not isinstance(value, Tensor):
            return False
        if self.checked_by_node:
            return True
        shape = value.shape
        return (
            self.dtype in (None, value.dtype)
            and len(shape) == len(self.shape)
            and all(own in (FREE, its) for own, its in zip(self.shape, shape, strict=True))
        )

    def __str__(self) -> str:
        if self.is_any:
            return "any value"
        axes = _AXES.get(len(self.shape), "")
        dims = ", ".join(
            (axes[i] if axes else "any") if size == FREE else str(size)
            for i, size in enumerate(self.shape)
        )
        dtype = "any dtype" if self.dtype is None else dtype_name(self.dtype)
        return f"{dtype} [{dims}]"


Ports = Mapping[str, PortSpec]
"""The ports of one side of a node, by name."""


def dtype_name(dtype: torch.dtype) -> str:
    """Return the plain name, such as float32."""
    return str(dtype).removeprefix("torch.")


def describe(value: object) -> str:
    """Say in a few words what a value is: dtype and shape of a tensor, else its type."""
    if isinstance(value, Tensor):
        return f"{dtype_name(value.dtype)} {list(value.shape)}"
    return f"a {type(value).__name__}"
