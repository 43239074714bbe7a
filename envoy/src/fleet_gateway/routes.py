"""The route table: one exact path per method, and which calls may be retried."""

from enum import Enum

from fleet_proto.methods import METHODS_BY_SERVICE, NOT_IDEMPOTENT, SERVICE_NAME, STREAMING


class RetryMode(Enum):
    """How the gateway retries a call if an upstream fails before it has answered."""

    UNSENT = "unsent"
    """Only calls that no upstream has received: the method is not idempotent."""

    ALWAYS = "always"
    """All calls: the method is idempotent."""


def retry_mode_of(method: str) -> RetryMode:
    """Return the retry mode of a method of the gRPC API."""
    if method in NOT_IDEMPOTENT or method in STREAMING:
        return RetryMode.UNSENT
    return RetryMode.ALWAYS


def route_table() -> dict[str, str]:
    """Return the name of the service behind each request path."""
    return {
        f"/{SERVICE_NAME}/{method}": service
        for service, methods in METHODS_BY_SERVICE.items()
        for method in sorted(methods)
    }
