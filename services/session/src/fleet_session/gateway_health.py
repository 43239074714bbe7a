"""Whether everything behind the gateway can serve."""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future

from fleet_proto.methods import METHODS_BY_SERVICE, SERVICE_NAME

SERVICES = tuple(METHODS_BY_SERVICE)

AskAll = Callable[[Iterable[str]], Mapping[str, bool]]
"""Asks the named services, all at once and with a deadline, whether each can serve."""


class GatewayHealth:
    """The health of all services together and of each.

    Callers that come while a round of questions runs get that round's answer, so that any number of
    them costs the services one question at a time.
    """

    def __init__(self, ask_all: AskAll) -> None:
        self._ask_all = ask_all
        self._lock = threading.Lock()
        self._round: Future[Mapping[str, bool]] | None = None

    def is_serving(self, name: str) -> bool | None:
        """Whether the service can serve; for all of them the name is empty or the wire's.

        Returns:
            None when there is no service of that name.
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
