"""Settings of the session service."""

from pathlib import Path

from pydantic import Field

from fleet_platform.plugin_settings import PluginSettings


class SessionSettings(PluginSettings):
    """How the session service runs."""

    gateway_address: str | None = None
    """``host:port`` of the gateway, asked for the health of all services; unset: this service
    answers for itself only."""

    artifact_kept_s: float = Field(default=86400.0, gt=0)
    """Seconds after which weights are removed from the artifact volume that no session and no
    training has any more; longer than any call takes."""

    plugin_dir: Path = Path("run/plugins")
    """Where plugins from git repositories are fetched to; below the working directory."""
