"""Finds the class of each class path in a pipeline that uses plugins."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

from torch import nn

from fleet_engine.graph.catalogue import is_built_in, node_class
from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.plugins.plugin_code import PluginCode
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import NotFound
from fleet_proto.records.v1 import records_pb2 as records

_MAX_KEPT = 32


class PluginLoader:
    """Imports node classes from plugins, where the process may run plugin code.

    The code of a plugin is imported once for each content, and the 32 most recently used plugins
    stay imported. A process has one loader, made by its composition root.
    """

    def __init__(self, artifacts: ArtifactStore, *, allowed: bool) -> None:
        """Create a loader without any plugin imported.

        Args:
            artifacts: the store of plugin files.
            allowed: whether plugin code may run in this process.
        """
        self._artifacts = artifacts
        self._allowed = allowed
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, PluginCode] = OrderedDict()

    def class_finder(
        self, plugins: Iterable[records.PluginCode]
    ) -> Callable[[str], type[nn.Module]]:
        """Return a function that finds the class of a class path.

        A built-in class comes first, then one of a plugin, then one of the operator's packages.
        The function raises `GraphInvalid` for an unknown class, or for one of a plugin where plugin
        code may not run; it raises `NotFound` if the files of the plugin are gone. Code is imported
        when its first class is requested.

        Args:
            plugins: the plugins that a pipeline uses, with the classes it takes from each.
        """
        sources = {path: plugin for plugin in plugins for path in plugin.class_paths}

        def find(path: str) -> type[nn.Module]:
            plugin = sources.get(path)
            if plugin is None or is_built_in(path):
                return node_class(path)
            if not self._allowed:
                raise GraphInvalid(
                    f"Node class '{path}' is of the plugin '{plugin.name}', and this server runs "
                    "no code of plugins. Its operator allows it with PLUGINS=local."
                )
            return self._code(plugin).node_class(path)

        return find

    def _code(self, plugin: records.PluginCode) -> PluginCode:
        with self._lock:
            code = self._kept.get(plugin.code_digest)
            if code is None:
                code = PluginCode(plugin.name, plugin.code_digest, self._files(plugin))
                self._kept[plugin.code_digest] = code
            self._kept.move_to_end(plugin.code_digest)
            while len(self._kept) > _MAX_KEPT:
                _, oldest = self._kept.popitem(last=False)
                oldest.forget()
            return code

    def _files(self, plugin: records.PluginCode) -> bytes:
        try:
            return self._artifacts.get(plugin.code_digest)
        except NotFound:
            raise NotFound(
                f"The files of the plugin '{plugin.name}' are no longer stored. Load the plugin "
                "and the pipeline again."
            ) from None
