"""Which device computes, and what happens when its memory is used up."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fleet_platform.errors import Exhausted

_ALLOCATOR_TEXTS = ("can't allocate memory", "not enough memory", "out of memory")


def choose_device(text: str) -> torch.device:
    """The device for a setting: ``auto`` is the first GPU, or the CPU where there is none.

    Raises:
        ValueError: the device does not exist here.
    """
    if text == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(text)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"DEVICE={text}: this machine has no such device.") from error
    return device


@contextmanager
def memory_bound(what: str) -> Iterator[None]:
    """Turn running out of memory into an error of the domain and give the memory back.

    Args:
        what: what needed the memory, the subject of the error text.

    Raises:
        Exhausted: memory ran out inside the block.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        # The frames of the failed work hold its tensors for as long as the error lives.
        traceback.clear_frames(error.__traceback__)
        release_cached_memory()
        raise Exhausted(
            f"{what} needs more memory than is left. Send fewer or smaller measurements at once, "
            "or request fewer outputs."
        ) from None


def release_cached_memory() -> None:
    """Return what the GPU's allocator keeps unused to the device."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch has no type for it
        torch.cuda.empty_cache()


def _is_out_of_memory(error: MemoryError | RuntimeError) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(text in str(error) for text in _ALLOCATOR_TEXTS)
