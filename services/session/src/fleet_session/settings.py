"""Settings of the session service."""

from pathlib import Path

from pydantic import Field

from fleet_platform.plugin_settings import PluginSettings


class SessionSettings(PluginSettings):
    """Settings of the session service."""

    gateway_address: str | None = None
    """``host:port`` of the gateway for health checks of all services; unset: this service reports
    only its own health."""

    artifact_kept_s: float = Field(default=86400.0, gt=0)
    """Seconds for which unreferenced artifacts are kept on the artifact volume; must be longer than
    any call takes."""

    plugin_dir: Path = Path("run/plugins")
    """Folder for the working trees of plugins from git repositories."""
