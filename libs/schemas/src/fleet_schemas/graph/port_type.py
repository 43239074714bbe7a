"""Port types and their compatibility."""

from dataclasses import dataclass
from typing import Generic, TypeVar

FREE = -1
"""A dimension of any size."""

_AXES = {1: "C", 2: "BC", 3: "BHW", 4: "BHWC"}

DType = TypeVar("DType")


@dataclass(frozen=True, slots=True)
class PortType(Generic[DType]):
    """Type of a port, with torch dtypes, or their names where torch is not available.

    Attributes:
        dtype: dtype of the tensor; None: any.
        shape: size of each dimension, -1 for any. With dtype None, () means any Python value.
        description: meaning of the values, with unit.
        optional: the node runs without it (input), or may not produce it (output).
        variadic: an input that accepts any number of sources and receives them as a list.
        checked_by_node: the node itself checks dtype and rank, because it accepts several forms;
            `dtype` and `shape` are then the published form.
    """

    dtype: DType | None
    shape: tuple[int, ...]
    description: str = ""
    optional: bool = False
    variadic: bool = False
    checked_by_node: bool = False

    @property
    def is_any(self) -> bool:
        """Whether the port accepts every Python value."""
        return self.dtype is None and not self.shape

    def takes(self, source: "PortType[DType]") -> bool:
        """Return whether a connection from `source` is compatible; -1 matches any size."""
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
