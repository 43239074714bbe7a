"""Clients that call one after the other for as long as a block runs."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import grpc


class SteadyLoad:
    """Closed-loop load: each client sends its next call when the last one was answered.

    Runs while entered; each client ends its last call before the block is left.

    Attributes:
        seconds: how long each call took that was answered.
        failures: status and text of each call that failed, in the order in which they did.
        wrong: what `call` found wrong with an answer.
    """

    def __init__(self, call: Callable[[], object], clients: int) -> None:
        """Create a load that starts when entered.

        Args:
            call: one call; raises `AssertionError` where its answer is wrong.
            clients: threads that call.
        """
        self._call = call
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]
        self.seconds: list[float] = []
        self.failures: list[str] = []
        self.wrong: list[str] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            began_s = time.perf_counter()
            try:
                self._call()
            except grpc.RpcError as error:
                self.failures.append(f"{error.code().name}: {error.details()}")
            except AssertionError as error:
                self.wrong.append(str(error))
            else:
                self.seconds.append(time.perf_counter() - began_s)
