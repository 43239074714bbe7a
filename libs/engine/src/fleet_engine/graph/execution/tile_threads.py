"""How many threads work on the tiles of one run.

Tiles share nothing, so threads that each take whole tiles never wait for one another, unlike the
threads with which torch splits a single operation: those meet after every operation, and stand
still whenever another process holds one of the cores. A process that wants its cores used this way
calls ``torch.set_num_threads(1)`` and `set_tile_threads`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_pool: ThreadPoolExecutor | None = None
_helpers = 0


def set_tile_threads(count: int) -> None:
    """Let `count` threads of this process, the caller's included, work on the tiles of a run.

    To be called by a process's composition root before the first run; 1, where nobody calls it.
    """
    global _pool, _helpers  # noqa: PLW0603  (a setting of the process, as torch's own is)
    _helpers = count - 1
    _pool = ThreadPoolExecutor(_helpers, thread_name_prefix="tile") if _helpers > 0 else None


def run_on_pool(work: Callable[[], None], parts: int) -> None:
    """Run `work`, which takes parts from a common supply until none is left, on several threads.

    The helpers serve all runs of the process. Those that are busy with another run are not waited
    for: the caller's own thread always works, and ends when everything is done.
    """
    pool = _pool
    helping = [pool.submit(work) for _ in range(min(_helpers, parts - 1))] if pool else []
    try:
        work()
    finally:
        for helper in helping:
            helper.cancel()
    for helper in helping:
        if not helper.cancelled():
            helper.result()
