"""Node classes of plugins: which plugins a pipeline uses, and how their code is imported."""

from fleet_engine.plugins.plugin_code import PluginCode
from fleet_engine.plugins.plugin_loader import PluginLoader
from fleet_engine.plugins.plugin_nodes import plugin_nodes
from fleet_engine.plugins.used_plugins import used_plugins

__all__ = ["PluginCode", "PluginLoader", "plugin_nodes", "used_plugins"]
