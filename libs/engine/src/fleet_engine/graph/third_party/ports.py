"""Conversion of ports of the published node contract to `PortSpec`.

In that contract, the dtype of a port may be a torch dtype, `torch.Tensor` (any dtype), a numpy
scalar type or `numpy.ndarray` (the node then uses arrays), or any other Python type; a dimension
may be the name of an integer attribute of the node; and a list of one spec is a variadic port.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fleet_engine.graph.port_spec import PortSpec


@dataclass(frozen=True, slots=True)
class ThirdPartyPort:
    """A port of a third-party node.

    Attributes:
        spec: the port as seen by the graph.
        as_array: the node uses a numpy array where the graph has a tensor.
    """

    spec: PortSpec
    as_array: bool

    def into_node(self, value: Any) -> Any:
        """Convert a value of the graph for the node."""
        if self.spec.variadic:
            return [self._one_into_node(part) for part in value]
        return self._one_into_node(value)

    def _one_into_node(self, value: Any) -> Any:
        if self.as_array and isinstance(value, Tensor):
            return value.detach().cpu().numpy()
        return value

    def from_node(self, value: Any, device: torch.device) -> Any:
        """Convert an output of the node for the graph; arrays are moved to `device`."""
        if not self.spec.is_any and isinstance(value, np.ndarray | np.generic):
            return torch.as_tensor(value, device=device)
        return value


def read_ports(declared: Mapping[str, Any], node: object) -> dict[str, ThirdPartyPort]:
    """Read the ports of one side of a node.

    Args:
        declared: `INPUT_SPECS` or `OUTPUT_SPECS`.
        node: the node, whose attributes named dimensions refer to.

    Raises:
        ValueError: the declaration of a port violates the contract; the text names the port.
    """
    return {port: _read_port(port, spec, node) for port, spec in declared.items()}


def _read_port(port: str, spec: Any, node: object) -> ThirdPartyPort:
    variadic = isinstance(spec, list)
    if variadic:
        if len(spec) != 1:
            raise ValueError(
                f"port '{port}' is a list of {len(spec)} specs; expected a list of one"
            )
        spec = spec[0]
    missing = [name for name in ("dtype", "shape") if not hasattr(spec, name)]
    if missing:
        raise ValueError(f"port '{port}': its spec has no {' and no '.join(missing)}")
    dtype, is_tensor, as_array = _read_dtype(spec.dtype)
    return ThirdPartyPort(
        PortSpec(
            dtype,
            tuple(_read_size(port, size, node) for size in spec.shape) if is_tensor else (),
            description=str(getattr(spec, "description", "")),
            optional=bool(getattr(spec, "optional", False)),
            variadic=variadic,
        ),
        as_array,
    )


def _read_dtype(dtype: Any) -> tuple[torch.dtype | None, bool, bool]:
    """Return the torch dtype (None: any), whether the graph has a tensor, and the node an array."""
    if isinstance(dtype, torch.dtype):
        return dtype, True, False
    if dtype is Tensor:
        return None, True, False
    if dtype is np.ndarray:
        return None, True, True
    if isinstance(dtype, np.dtype) or (isinstance(dtype, type) and issubclass(dtype, np.generic)):
        try:
            return torch.from_numpy(np.empty(0, dtype)).dtype, True, True
        except TypeError:  # text, dates, objects: no tensor can hold them
            return None, False, False
    return None, False, False


def _read_size(port: str, size: Any, node: object) -> int:
    if isinstance(size, str):
        value = getattr(node, size, None)
        if not isinstance(value, int):
            raise ValueError(  # noqa: TRY004  (a class that cannot be used, not a wrong call)
                f"port '{port}' has the dimension '{size}', but the node has no such integer"
            )
        return value
    return int(size)
