"""Settings of the session service."""

from pathlib import Path

from fleet_platform.plugin_settings import PluginSettings


class SessionSettings(PluginSettings):
    """How the session service runs."""

    gateway_address: str | None = None
    """``host:port`` of the gateway, asked for the health of all services; unset: this service
    answers for itself only."""

    plugin_dir: Path = Path("run/plugins")
    """Where plugins from git repositories are fetched to; below the working directory."""
