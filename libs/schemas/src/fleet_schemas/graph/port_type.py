"""Type of a port, and which outputs fit which inputs."""

from dataclasses import dataclass
from typing import Generic, TypeVar

FREE = -1
"""A dimension of any size."""

_AXES = {1: "C", 2: "BC", 3: "BHW", 4: "BHWC"}

DType = TypeVar("DType")


@dataclass(frozen=True, slots=True)
class PortType(Generic[DType]):
    """Type of a port; a dtype is a name where there is no torch, and torch's own where there is.

    Attributes:
        dtype: dtype of the tensor; None: any.
        shape: size of each dimension, -1 for any. With dtype None, () means any Python value.
        description: what the values are, with unit.
        optional: the node runs without it (input), or may not give it (output).
        variadic: an input that takes any number of sources and sees them as a list.
        checked_by_node: the node itself judges dtype and rank, because it takes more than one form;
            `dtype` and `shape` then are the form that it is published with.
    """

    dtype: DType | None
    shape: tuple[int, ...]
    description: str = ""
    optional: bool = False
    variadic: bool = False
    checked_by_node: bool = False

    @property
    def is_any(self) -> bool:
        """Whether every Python value fits."""
        return self.dtype is None and not self.shape

    def takes(self, source: "PortType[DType]") -> bool:
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

    def __str__(self) -> str:
        if self.is_any:
            return "any value"
        axes = _AXES.get(len(self.shape), "")
        dims = ", ".join(
            (axes[i] if axes else "any") if size == FREE else str(size)
            for i, size in enumerate(self.shape)
        )
        dtype = "any dtype" if self.dtype is None else str(self.dtype).removeprefix("torch.")
        return f"{dtype} [{dims}]"
