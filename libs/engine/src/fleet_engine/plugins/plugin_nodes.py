"""Descriptions of the node classes that the plugins of a session provide."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
from torch import nn

from fleet_engine.descriptions import NodeDescription, icon_svg
from fleet_engine.graph.catalogue import is_built_in
from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.graph.third_party.ports import read_ports
from fleet_engine.plugins.plugin_loader import PluginLoader
from fleet_platform.telemetry import logger
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import parse_config
from fleet_schemas.graph import FREE
from fleet_schemas.plugins import Capability, CapabilityPort, PluginManifest

_log = logger("fleet.engine")


def plugin_nodes(
    registered: Iterable[records.Plugin], loader: PluginLoader
) -> list[NodeDescription]:
    """Return descriptions of the classes that the plugins of a session add, in their order.

    A description comes from the manifest, and the ports from the class itself if the manifest lists
    none. Classes that cannot be imported are omitted, since no pipeline can use them.
    """
    found: dict[str, NodeDescription] = {}
    for plugin in registered:
        if plugin.code_digest:
            for node in _nodes(plugin, loader):
                found[node.paths[0]] = node
    return list(found.values())


def _nodes(plugin: records.Plugin, loader: PluginLoader) -> Iterator[NodeDescription]:
    manifest = parse_config(PluginManifest, plugin.manifest_json, f"plugin '{plugin.name}'")
    code = records.PluginCode(
        name=plugin.name, code_digest=plugin.code_digest, class_paths=manifest.class_paths
    )
    find = loader.class_finder([code])
    for capability in manifest.capabilities:
        path = capability.class_name
        if capability.kind != "node" or is_built_in(path):
            continue
        inputs, outputs = _declared(capability.input_specs), _declared(capability.output_specs)
        if not inputs and not outputs:
            try:
                kind = find(path)
                inputs, outputs = _ports(kind, "INPUT_SPECS"), _ports(kind, "OUTPUT_SPECS")
            except (GraphInvalid, ValueError) as error:
                _log.warning("plugin.not_listed", plugin=plugin.name, path=path, error=str(error))
                continue
        yield _description(capability, inputs, outputs, plugin.name)


def _description(
    capability: Capability, inputs: Ports, outputs: Ports, plugin: str
) -> NodeDescription:
    categories = [one for one in NodeCategory if one == capability.category.lower()]
    category = categories[0] if categories else NodeCategory.UNSPECIFIED
    return NodeDescription(
        class_name=capability.class_name.rpartition(".")[2],
        paths=(capability.class_name,),
        inputs=inputs,
        outputs=outputs,
        category=category,
        tags=tuple(tag for tag in NodeTag if tag in capability.tags),
        icon_svg=icon_svg(category),
        plugin=plugin,
    )


def _declared(ports: Mapping[str, CapabilityPort]) -> Ports:
    return {
        name: PortSpec(
            _dtype(port.dtype),
            tuple(port.shape),
            description=port.description,
            optional=port.optional,
            variadic=port.variadic,
        )
        for name, port in ports.items()
    }


def _dtype(name: str) -> torch.dtype | None:
    try:
        return torch.from_numpy(np.empty(0, name)).dtype if name else None
    except TypeError:  # not a dtype, or not one of torch
        return None


class _AnySize:
    """A placeholder for a node whose named dimensions are not known yet."""

    def __getattr__(self, name: str) -> int:
        return FREE


def _ports(kind: type[nn.Module], side: str) -> Ports:
    declared = getattr(kind, side, {})
    if issubclass(kind, Node):
        return dict(declared)
    return {name: port.spec for name, port in read_ports(declared, _AnySize()).items()}
