"""Limits allocations while a pipeline is being built."""

import math
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fleet_platform.errors import Exhausted

MAX_PIPELINE_BYTES = 4 * 1024**3


class AllocationLimit(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no type for it
    """Sums the sizes of tensors created in the block, and raises before the limit is exceeded.

    Hparams have individual limits, but two of them define a matrix, and a config has many nodes.
    Temporary tensors count as well; a constructor rarely needs large ones.
    """

    def __init__(self, limit_bytes: int = MAX_PIPELINE_BYTES) -> None:
        """Start counting.

        Args:
            limit_bytes: limit for all tensors together, in bytes.
        """
        super().__init__()  # type: ignore[no-untyped-call]  # torch has no type for it
        self._limit_bytes = limit_bytes
        self._allocated_bytes = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Avoid importing torch's compiler, which takes a second and 85 MB.

        The default would import it to exclude this block from compilation; nothing is compiled
        here.
        """
        return False

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload[Any, Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operation, unless the tensor it creates exceeds the limit.

        Raises:
            Exhausted: the limit is exceeded.
        """
        options = kwargs or {}
        arguments = dict(zip((each.name for each in func._schema.arguments), args, strict=False))
        if "self" not in arguments:
            self._allocated_bytes += _size_bytes({**arguments, **options})
        if self._allocated_bytes > self._limit_bytes:
            raise Exhausted(
                f"The pipeline's nodes need {self._allocated_bytes} bytes or more; at most "
                f"{self._limit_bytes} are available for one pipeline. Use fewer or smaller nodes."
            )
        return func(*args, **options)


def _size_bytes(arguments: dict[str, Any]) -> int:
    """Return the size of the result of a factory such as ``zeros(size)`` or ``eye(n)``."""
    size = arguments.get("size")
    if size is None:
        count = arguments.get("n", 0)
        size = (count, arguments.get("m", count)) if "n" in arguments else (0,)
    dtype = arguments.get("dtype") or torch.get_default_dtype()
    return math.prod(size) * dtype.itemsize
