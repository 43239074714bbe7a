"""Settings of the services that register or run plugins."""

from typing import Literal

from fleet_platform.settings import ServiceSettings


class PluginSettings(ServiceSettings):
    """Which plugins may run; must be the same for all services that register or run plugins."""

    plugins: Literal["off", "local", "git"] = "local"
    """Plugins whose code may run on behalf of clients: ``off``: none; ``local``: those in folders
    that clients can read but not write; ``git``: those of any repository as well."""
