"""The health of all services behind the gateway."""

from collections.abc import Callable, Iterable, Mapping

from fleet_platform.single_flight import SingleFlight
from fleet_proto.methods import METHODS_BY_SERVICE, SERVICE_NAME

SERVICES = tuple(METHODS_BY_SERVICE)

AskAll = Callable[[Iterable[str]], Mapping[str, bool]]
"""Checks the named services concurrently, with a deadline; returns whether each is serving."""


class GatewayHealth:
    """The health of each service and of all of them together.

    Concurrent callers share one round of checks, so that at most one check of each service runs at
    a time, however many callers there are.
    """

    def __init__(self, ask_all: AskAll) -> None:
        self._ask_all = ask_all
        self._rounds: SingleFlight[str, Mapping[str, bool]] = SingleFlight()

    def is_serving(self, name: str) -> bool | None:
        """Return whether a service is serving.

        Args:
            name: the service; empty or the full name of the gRPC service means all services.

        Returns:
            The answer; None if there is no service with that name.
        """
        if name in {"", SERVICE_NAME}:
            return all(self._answers().values())
        return self._answers()[name] if name in SERVICES else None

    def _answers(self) -> Mapping[str, bool]:
        return self._rounds.run("all", lambda: self._ask_all(SERVICES))
