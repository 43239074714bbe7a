"""The route table: one exact path per method, and what may be repeated."""

from enum import Enum

from fleet_proto.methods import METHODS_BY_SERVICE, SERVICE_NAME


class RetryMode(Enum):
    """What the gateway may do when an upstream fails before it answered."""

    UNSENT = "unsent"
    """Only a call that no upstream has seen: doing it twice would not be the same as once."""

    ALWAYS = "always"
    """Doing it twice is the same as once."""


_UNSENT = frozenset(
    {
        "CreateSession",  # a second one would leave a session behind
        "CloseSession",  # a second one would answer NOT_FOUND
        "RestoreTrainRun",  # makes a session
        "Train",  # what its stream has told cannot be told again unseen
        "ClearPluginCache",  # its answer counts what it removed
    }
)


def retry_mode_of(method: str) -> RetryMode:
    """What may be repeated of `method`, the name of a method of the service."""
    if method in _UNSENT:
        return RetryMode.UNSENT
    return RetryMode.ALWAYS


def route_table() -> dict[str, str]:
    """Exact request path -> name of the service behind it."""
    return {
        f"/{SERVICE_NAME}/{method}": service
        for service, methods in METHODS_BY_SERVICE.items()
        for method in sorted(methods)
    }
