"""Threads that run calls, and the bound on how many calls may wait for one."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any


class WorkerPool(ThreadPoolExecutor):
    """A thread pool that knows how many calls it holds.

    gRPC's own bound (``maximum_concurrent_rpcs``) counts all calls of a server together, so that a
    burst of long calls would turn health checks away; this one counts for each kind of call.
    """

    def __init__(self, name: str, workers: int, pending: int) -> None:
        """Make a pool; threads start when they are needed.

        Args:
            name: Prefix of the threads' names.
            workers: Calls that run at once.
            pending: Calls that may wait beyond those.
        """
        super().__init__(max_workers=workers, thread_name_prefix=name)
        self._workers = workers
        self._bound = workers + pending
        self._held = 0
        self._lock = Lock()

    @property
    def held(self) -> int:
        """Calls that run or wait."""
        return self._held

    @property
    def workers(self) -> int:
        """Calls that may run at once."""
        return self._workers

    @property
    def busy(self) -> int:
        """Calls that run."""
        return min(self._held, self._workers)

    @property
    def waiting(self) -> int:
        """Calls that wait for a thread."""
        return max(0, self._held - self._workers)

    @property
    def full(self) -> bool:
        """Whether one more call is to be turned away."""
        return self._held >= self._bound

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn`` on one of the threads; the caller has asked ``full`` before."""
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
    """Have gRPC run this handler on ``pool`` and not on the server's own threads."""
    # gRPC's one way to give methods threads of their own; its health servicer uses it too.
    handler.experimental_thread_pool = pool  # type: ignore[attr-defined]
    return handler


def pool_of(handler: Callable[..., Any]) -> WorkerPool | None:
    """The pool that ``run_on`` gave to this handler, if any."""
    pool = getattr(handler, "experimental_thread_pool", None)
    return pool if isinstance(pool, WorkerPool) else None
