"""Types of ports."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from fleet_schemas.graph import FREE, PortType


@dataclass(frozen=True, slots=True)
class PortSpec(PortType[torch.dtype]):
    """Type of a port, and a check of its values; see `PortType` for the attributes."""

    def always_takes(self, source: "PortSpec") -> bool:
        """Return whether every value of `source` fits, so that values need no check."""
        if self.is_any or self.checked_by_node:
            return True
        return (
            self.dtype in (None, source.dtype)
            and len(self.shape) == len(source.shape)
            and all(own in (FREE, its) for own, its in zip(self.shape, source.shape, strict=True))
        )

    def admits(self, value: object) -> bool:
        """Return whether a value fits."""
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


Ports = Mapping[str, PortSpec]
"""The ports of one side of a node, by name."""


def dtype_name(dtype: torch.dtype) -> str:
    """Return the plain name, such as float32."""
    return str(dtype).removeprefix("torch.")


def describe(value: object) -> str:
    """Return a short description of a value: dtype and shape of a tensor, otherwise its type."""
    if isinstance(value, Tensor):
        return f"{dtype_name(value.dtype)} {list(value.shape)}"
    return f"a {type(value).__name__}"
