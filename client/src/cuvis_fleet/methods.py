"""Where the methods are called."""

from fleet_proto.methods import SERVICE_NAME


def path_of(method: str) -> str:
    """The path of a method of the service."""
    return f"/{SERVICE_NAME}/{method}"
