"""The thread pool for the tiles of a run.

Tiles are independent, so threads that each compute whole tiles never wait for each other. The
threads with which torch splits a single operation, in contrast, synchronise after every operation
and all wait when another process occupies one of the cores. A process that prefers whole tiles
calls ``torch.set_num_threads(1)`` and `set_tile_threads`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_pool: ThreadPoolExecutor | None = None
_helpers = 0


def set_tile_threads(count: int) -> None:
    """Set how many threads, including the caller, work on the tiles of a run; default: 1.

    To be called by the composition root of a process before the first run.
    """
    global _pool, _helpers  # noqa: PLW0603  (a setting of the process, like torch's)
    _helpers = count - 1
    _pool = ThreadPoolExecutor(_helpers, thread_name_prefix="tile") if _helpers > 0 else None


def run_on_pool(work: Callable[[], None], parts: int) -> None:
    """Run `work`, which takes parts from a common supply until it is empty, on several threads.

    The pool is shared by all runs of the process. Threads that are busy with another run are not
    waited for: the calling thread always works, and returns when all parts are done.
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
