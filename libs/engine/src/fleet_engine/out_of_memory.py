"""What happens when memory is used up, on the host or on a device."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fleet_platform.errors import Exhausted

_ALLOCATOR_TEXTS = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


@contextmanager
def map_out_of_memory(what: str, remedy: str = "Try again when less runs here.") -> Iterator[None]:
    """Turn running out of memory into an error of the domain and give the memory back.

    Args:
        what: what needed the memory, the subject of the error text.
        remedy: a sentence on what the caller can do, the error text's last.

    Raises:
        Exhausted: memory ran out inside the block.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        # The frames of the failed work hold its tensors for as long as the error lives.
        traceback.clear_frames(error.__traceback__)
        release_cached_memory()
        raise Exhausted(f"{what} needs more memory than is left. {remedy}") from None


def release_cached_memory() -> None:
    """Return what the GPU's allocator keeps unused to the device."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch has no type for it
        torch.cuda.empty_cache()


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out; torch's allocator on the host raises a plain RuntimeError."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _ALLOCATOR_TEXTS)
