"""Keeps a config from taking the host's memory before its pipeline stands."""

import math
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fleet_platform.errors import Exhausted

MAX_PIPELINE_BYTES = 4 * 1024**3


class AllocationLimit(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no type for it
    """Counts what tensors made inside the block take, and refuses one too many before it is made.

    Hparams are bounded one by one, but two of them make a matrix and a config has many nodes. What
    is made and dropped again counts as well: a constructor has no use for much of it.
    """

    def __init__(self, limit_bytes: int = MAX_PIPELINE_BYTES) -> None:
        """Start counting.

        Args:
            limit_bytes: bound on all tensors together, in bytes.
        """
        super().__init__()  # type: ignore[no-untyped-call]  # torch has no type for it
        self._limit_bytes = limit_bytes
        self._made_bytes = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Spare the first pipeline of a process a second and 85 MB for importing torch's compiler.

        That would keep the compiler out of here; nothing is compiled inside the block.
        """
        return False

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload[Any, Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operation, unless it makes a tensor that goes beyond the limit.

        Raises:
            Exhausted: it does.
        """
        options = kwargs or {}
        arguments = dict(zip((each.name for each in func._schema.arguments), args, strict=False))
        if "self" not in arguments:
            self._made_bytes += _size_bytes({**arguments, **options})
        if self._made_bytes > self._limit_bytes:
            raise Exhausted(
                f"The pipeline's nodes take {self._made_bytes} bytes or more; at most "
                f"{self._limit_bytes} are held for one pipeline. Use fewer or smaller nodes."
            )
        return func(*args, **options)


def _size_bytes(arguments: dict[str, Any]) -> int:
    """What a factory such as ``zeros(size)`` or ``eye(n)`` makes."""
    size = arguments.get("size")
    if size is None:
        count = arguments.get("n", 0)
        size = (count, arguments.get("m", count)) if "n" in arguments else (0,)
    dtype = arguments.get("dtype") or torch.get_default_dtype()
    return math.prod(size) * dtype.itemsize
