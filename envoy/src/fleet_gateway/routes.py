"""The route table: one exact path per method, and what may be repeated."""

from enum import Enum

from fleet_proto.methods import METHODS_BY_SERVICE, NOT_IDEMPOTENT, SERVICE_NAME, STREAMING


class RetryMode(Enum):
    """What the gateway may do when an upstream fails before it answered."""

    UNSENT = "unsent"
    """Only a call that no upstream has seen: doing it twice would not be the same as once."""

    ALWAYS = "always"
    """Doing it twice is the same as once."""


def retry_mode_of(method: str) -> RetryMode:
    """What may be repeated of `method`, the name of a method of the service."""
    if method in NOT_IDEMPOTENT or method in STREAMING:
        return RetryMode.UNSENT
    return RetryMode.ALWAYS


def route_table() -> dict[str, str]:
    """Exact request path -> name of the service behind it."""
    return {
        f"/{SERVICE_NAME}/{method}": service
        for service, methods in METHODS_BY_SERVICE.items()
        for method in sorted(methods)
    }
