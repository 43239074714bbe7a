"""Settings of the config service."""

from fleet_platform.engine_settings import EngineSettings


class ConfigSettings(EngineSettings):
    """Settings of the config service, which validates pipelines according to the engine's rules."""
