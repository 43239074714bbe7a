"""Worker pools: threads that run calls, with a limited queue."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any


class WorkerPool(ThreadPoolExecutor):
    """A thread pool that knows how many calls are running or waiting.

    gRPC's own limit (``maximum_concurrent_rpcs``) counts all calls to a server together, so that a
    burst of long calls would cause health checks to be rejected. A pool counts one kind of call.
    """

    def __init__(self, name: str, workers: int, pending: int) -> None:
        """Create a pool; its threads start on demand.

        Args:
            name: Prefix of the threads' names.
            workers: Number of calls that run at once.
            pending: Number of further calls that may wait.
        """
        super().__init__(max_workers=workers, thread_name_prefix=name)
        self._workers = workers
        self._capacity = workers + pending
        self._held = 0
        self._lock = Lock()

    @property
    def held(self) -> int:
        """Number of calls that are running or waiting."""
        return self._held

    @property
    def workers(self) -> int:
        """Number of calls that may run at once."""
        return self._workers

    @property
    def busy(self) -> int:
        """Number of running calls."""
        return min(self._held, self._workers)

    @property
    def waiting(self) -> int:
        """Number of calls that wait for a thread."""
        return max(0, self._held - self._workers)

    @property
    def full(self) -> bool:
        """Whether the next call must be rejected."""
        return self._held >= self._capacity

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn`` on one of the threads; the caller must have checked ``full``."""
        with self._lock:
            self._held += 1
        try:
            future = super().submit(fn, *args, **kwargs)
        except BaseException:
            self._release()
            raise
        future.add_done_callback(self._release)
        return future

    def _release(self, _future: Future[Any] | None = None) -> None:
        with self._lock:
            self._held -= 1


def run_on(pool: WorkerPool, handler: Callable[..., Any]) -> Callable[..., Any]:
    """Run this handler on `pool` instead of the server's own threads."""
    # The only way in gRPC to assign threads to a method; its health servicer uses it, too.
    handler.experimental_thread_pool = pool  # type: ignore[attr-defined]
    return handler


def pool_of(handler: Callable[..., Any]) -> WorkerPool | None:
    """Return the pool that ``run_on`` assigned to this handler, if any."""
    pool = getattr(handler, "experimental_thread_pool", None)
    return pool if isinstance(pool, WorkerPool) else None
