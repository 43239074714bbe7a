"""Handling of out-of-memory errors on the host or a device."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fleet_platform.errors import Exhausted

_ALLOCATOR_TEXTS = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


@contextmanager
def map_out_of_memory(
    what: str, remedy: str = "Try again when the server is less busy."
) -> Iterator[None]:
    """Convert out-of-memory errors to `Exhausted` and release the memory.

    Args:
        what: subject of the error text: what needed the memory.
        remedy: last sentence of the error text: what the caller can do.

    Raises:
        Exhausted: memory ran out inside the block.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        # The frames in the traceback keep the tensors of the failed work alive.
        traceback.clear_frames(error.__traceback__)
        release_cached_memory()
        raise Exhausted(f"{what} needs more memory than is available. {remedy}") from None


def release_cached_memory() -> None:
    """Return unused memory of the GPU allocator to the device."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch has no type for it
        torch.cuda.empty_cache()


def is_out_of_memory(error: Exception) -> bool:
    """Return whether memory ran out; torch's host allocator raises a plain RuntimeError."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _ALLOCATOR_TEXTS)
