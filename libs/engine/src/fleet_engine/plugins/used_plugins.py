"""Determines the plugins of a session that a pipeline uses."""

from collections.abc import Iterable, Mapping

from fleet_engine.graph.catalogue import is_built_in
from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.graph.node_packages import is_allowed
from fleet_platform.errors import OutOfOrder
from fleet_platform.shown_text import shown
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import NodeConfig, PipelineConfig, parse_config
from fleet_schemas.plugins import PluginManifest


def used_plugins(
    config: PipelineConfig, registered: Iterable[records.Plugin]
) -> list[records.PluginCode]:
    """Return the plugins that provide the classes of a pipeline that are not built in.

    If several plugins provide a class, the one registered last is used. Classes that none of them
    provides must be in one of the operator's packages.

    Raises:
        GraphInvalid: a class belongs to a plugin whose code is not available.
        OutOfOrder: a class is unknown, and the pipeline names plugins that are not registered.
    """
    plugins = {plugin.name: plugin for plugin in registered}
    external = [node for node in config.nodes if not is_built_in(node.class_name)]
    if not external:
        return []
    providers = _providers(plugins.values())
    used: dict[str, set[str]] = {}
    for node in external:
        name = providers.get(node.class_name)
        if name is not None and plugins[name].code_digest:
            used.setdefault(name, set()).add(node.class_name)
        elif not is_allowed(node.class_name):
            _refuse(node, name, [each for each in config.plugins or () if each not in plugins])
    return [
        records.PluginCode(
            name=name, code_digest=plugins[name].code_digest, class_paths=sorted(used[name])
        )
        for name in sorted(used)
    ]


def _providers(plugins: Iterable[records.Plugin]) -> Mapping[str, str]:
    """Return the name of the providing plugin by class path of a node."""
    return {
        capability.class_name: plugin.name
        for plugin in plugins
        for capability in parse_config(
            PluginManifest, plugin.manifest_json, f"plugin '{plugin.name}'"
        ).capabilities
        if capability.kind == "node"
    }


def _refuse(node: NodeConfig, provider: str | None, missing: list[str]) -> None:
    place = f"Node '{shown(node.name)}': class '{shown(node.class_name, 200)}'"
    if provider is not None:
        raise GraphInvalid(
            f"{place} is of the plugin '{provider}', and this server has neither that class built "
            "in nor the plugin's code. Use a built-in class, or load the plugin from a folder of "
            "the server; from its repository only where the operator set PLUGINS=git."
        )
    if missing:
        raise OutOfOrder(
            f"{place} is not built in, and the pipeline names plugins that this session has not "
            f"registered: {', '.join(map(shown, missing[:5]))}. Call LoadPlugin first."
        )
