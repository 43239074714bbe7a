"""Sharing one execution of the same work between concurrent callers."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class SingleFlight(Generic[Key, Result]):
    """Runs the work for a key once at a time; concurrent callers share its result or its error.

    Neither is kept once the work has ended.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: dict[Key, Future[Result]] = {}

    def run(
        self,
        key: Key,
        work: Callable[[], Result],
        *,
        wait_s: float | None = None,
        on_wait: Callable[[], object] | None = None,
    ) -> Result:
        """Return the result of `work`, or of the same work that another caller is running.

        Args:
            key: Identifies the work.
            work: Runs in this thread if no other caller runs it.
            wait_s: Longest wait for another caller, in seconds; None: no limit.
            on_wait: Called before waiting for another caller.

        Raises:
            TimeoutError: another caller's work took longer than `wait_s`.
            BaseException: the error of the work, in all callers that share it.
        """
        with self._lock:
            future = self._running.get(key)
            is_first = future is None
            if future is None:
                future = self._running[key] = Future()
        try:
            if is_first:
                self._execute(key, work, future)
            elif on_wait is not None:
                on_wait()
            return future.result(wait_s)
        finally:
            del future  # an error's traceback refers to this frame, and the future to the error

    def _execute(self, key: Key, work: Callable[[], Result], future: Future[Result]) -> None:
        try:
            result = work()
        except BaseException as error:
            self._remove(key)
            future.set_exception(error)
            del future
            return
        self._remove(key)
        future.set_result(result)

    def _remove(self, key: Key) -> None:
        with self._lock:
            del self._running[key]
