"""Processes that may write nothing more to files: a full volume that needs no volume."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def no_room_for(pids: Iterable[int], size_bytes: int = 64) -> Iterator[None]:
    """Limit the files that the processes and their children write to `size_bytes` in the block."""
    family = [
        member
        for pid in pids
        for member in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
    ]
    before = {each: each.rlimit(psutil.RLIMIT_FSIZE) for each in family}
    for each, (_, most) in before.items():
        each.rlimit(psutil.RLIMIT_FSIZE, (size_bytes, most))
    try:
        yield
    finally:
        for each, limit in before.items():
            # Children born meanwhile have inherited the bound.
            for member in (each, *each.children(recursive=True)):
                member.rlimit(psutil.RLIMIT_FSIZE, limit)
