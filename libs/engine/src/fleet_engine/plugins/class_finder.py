"""Which class each class path of a pipeline means, where plugins provide some of them."""

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

_MOST_KEPT = 32

_allowed = False
_lock = threading.Lock()
_kept: OrderedDict[str, PluginCode] = OrderedDict()


def allow_plugins(allowed: bool) -> None:
    """Say whether code of plugins may run in this process; it may not, where nobody says so.

    To be called by a process's composition root before the first pipeline is built.
    """
    global _allowed  # noqa: PLW0603  (a setting of the process)
    _allowed = allowed


def class_finder(
    plugins: Iterable[records.PluginCode], artifacts: ArtifactStore
) -> Callable[[str], type[nn.Module]]:
    """Return what finds the class that a class path means.

    A built-in class comes first, then one of a plugin, then one of the operator's packages. Code is
    imported when the first of its classes is asked for, once for each content, and the most
    recently used 32 plugins stay imported.

    Args:
        plugins: what a pipeline takes from plugins.
        artifacts: where their files are.
    """
    sources = {path: plugin for plugin in plugins for path in plugin.class_paths}

    def find(path: str) -> type[nn.Module]:
        plugin = sources.get(path)
        if plugin is None or is_built_in(path):
            return node_class(path)
        if not _allowed:
            raise GraphInvalid(
                f"Node class '{path}' is of the plugin '{plugin.name}', and this server runs no "
                "code of plugins. Its operator allows it with PLUGINS=local."
            )
        return _code(plugin, artifacts).node_class(path)

    return find


def _code(plugin: records.PluginCode, artifacts: ArtifactStore) -> PluginCode:
    with _lock:
        code = _kept.get(plugin.code_digest)
        if code is None:
            code = PluginCode(plugin.name, plugin.code_digest, _files(plugin, artifacts))
            _kept[plugin.code_digest] = code
        _kept.move_to_end(plugin.code_digest)
        while len(_kept) > _MOST_KEPT:
            _, oldest = _kept.popitem(last=False)
            oldest.forget()
        return code


def _files(plugin: records.PluginCode, artifacts: ArtifactStore) -> bytes:
    try:
        return artifacts.get(plugin.code_digest)
    except NotFound:
        raise NotFound(
            f"The files of the plugin '{plugin.name}' are not stored any more. Load the plugin and "
            "the pipeline again."
        ) from None
