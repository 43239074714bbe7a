"""Settings of the config service."""

from fleet_platform.engine_settings import EngineSettings


class ConfigSettings(EngineSettings):
    """How the config service runs; it judges pipelines by the settings that they are built with."""
