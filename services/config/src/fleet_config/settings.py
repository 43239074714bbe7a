"""Settings of the config service."""

from fleet_platform.settings import ServiceSettings


class ConfigSettings(ServiceSettings):
    """How the config service runs; it has no settings beyond those of every service."""
