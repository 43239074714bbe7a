"""Settings of the session service."""

from fleet_platform.settings import ServiceSettings


class SessionSettings(ServiceSettings):
    """How the session service runs."""

    gateway_address: str | None = None
    """``host:port`` of the gateway, asked for the health of all services; unset: this service
    answers for itself only."""
