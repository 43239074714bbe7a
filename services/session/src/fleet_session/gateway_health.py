"""The health of all services behind the gateway."""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future

from fleet_proto.methods import METHODS_BY_SERVICE, SERVICE_NAME

SERVICES = tuple(METHODS_BY_SERVICE)

AskAll = Callable[[Iterable[str]], Mapping[str, bool]]
"""Checks the named services concurrently, with a deadline; whether each one is serving."""


class GatewayHealth:
    """The health of each service and of all of them together.

    Concurrent callers share one round of checks, so that each service is checked once at a time,
    however many callers there are.
    """

    def __init__(self, ask_all: AskAll) -> None:
        self._ask_all = ask_all
        self._lock = threading.Lock()
        self._round: Future[Mapping[str, bool]] | None = None

    def is_serving(self, name: str) -> bool | None:
        """Whether a service is serving.

        Args:
            name: of the service; empty or the full name of the gRPC service means all services.

        Returns:
            None if there is no service of that name.
        """
        if name in {"", SERVICE_NAME}:
            return all(self._answers().values())
        return self._answers()[name] if name in SERVICES else None

    def _answers(self) -> Mapping[str, bool]:
        with self._lock:
            running, mine = self._round, Future[Mapping[str, bool]]()
            if running is None:
                self._round = mine
        if running is not None:
            return running.result()
        try:
            mine.set_result(self._ask_all(SERVICES))
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                self._round = None
        return mine.result()
