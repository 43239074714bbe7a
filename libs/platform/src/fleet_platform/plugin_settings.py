"""Settings of the services that have to do with plugins."""

from typing import Literal

from fleet_platform.settings import ServiceSettings


class PluginSettings(ServiceSettings):
    """Whose code may run; the same for every service that registers or runs it."""

    plugins: Literal["off", "local", "git"] = "local"
    """Plugins whose code clients may have run: ``off``: none; ``local``: those in folders that
    clients may read and not write; ``git``: those of any repository as well."""
