"""Settings of the config service."""

from fleet_platform.engine_settings import EngineSettings


class ConfigSettings(EngineSettings):
    """Settings of the config service, which validates pipelines by the rules of the engine."""
