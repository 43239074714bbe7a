"""Closed-loop load: each client sends its next call when the previous one has been answered."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """Limits of one measurement, which ends when the first one is reached.

    Attributes:
        calls: calls per client.
        seconds: total time.
    """

    calls: int
    seconds: float


def measure(call: Callable[[], object], clients: int, budget: Budget) -> list[float]:
    """Time `call` from `clients` threads that start together, after one untimed call.

    Returns:
        Seconds of each call, in no particular order; at least one per client.
    """
    call()
    at_once = threading.Barrier(clients)
    taken: list[list[float]] = [[] for _ in range(clients)]
    failures: list[Exception] = []

    def client(own: list[float]) -> None:
        try:
            at_once.wait(timeout=10)
            begin = time.perf_counter()
            while len(own) < budget.calls:
                start = time.perf_counter()
                call()
                end = time.perf_counter()
                own.append(end - start)
                if end - begin > budget.seconds:
                    break
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=client, args=(own,)) for own in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [seconds for own in taken for seconds in own]
