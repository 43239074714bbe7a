"""Checks a pipeline's graph without building it."""

from collections.abc import Collection, Mapping

from fleet_config.findings import Findings
from fleet_platform.shown_text import shown
from fleet_schemas import NodeConfig, PipelineConfig, nearest
from fleet_schemas.graph import (
    HPARAMS_OF_EVERY_NODE,
    BuiltInNode,
    NodePorts,
    built_in_classes,
    connect,
    name_fault,
    nearest_classes,
    node_names,
)

_BATCH_PORTS = frozenset({"cube", "mask", "wavelengths", "mesu_index"})
"""The values that every measurement reader provides."""


def check_graph(
    config: PipelineConfig, place: str, node_packages: Collection[str], findings: Findings
) -> None:
    """Report what would prevent a pipeline from being built.

    Args:
        config: the pipeline.
        place: prefix of each path, such as ``pipeline.``.
        node_packages: packages whose classes may be used although they are unknown here.
        findings: collects the results.
    """
    if not config.nodes:
        findings.errors.append(f"{place}nodes is empty; a pipeline needs at least one node.")
    names = node_names(config.nodes)
    ports: dict[str, NodePorts] = {}
    for index, (node, name) in enumerate(zip(config.nodes, names, strict=True)):
        where = f"{place}nodes.{index}"
        kind = built_in_classes().get(node.class_name)
        ports[name] = kind.ports if kind else NodePorts(node.class_name, None, None)
        if findings.wants_errors and (fault := name_fault(node.name)):
            findings.errors.append(f"{where}.name: {fault}")
        if kind:
            _check_hparams(node, kind, where, findings)
        else:
            _check_unknown_class(config, node, where, node_packages, findings)
    faults = connect(ports, config.connections).faults
    findings.errors += [f"{place}connections: {fault}" for fault in faults]


def check_supply(config: PipelineConfig, place: str, findings: Findings) -> None:
    """Warn about inputs that have no source during training.

    Args:
        config: the pipeline.
        place: prefix of each path.
        findings: collects the results.
    """
    fed = {(one.target_node, one.target_port) for one in config.connections}
    names = node_names(config.nodes)
    for index, (node, name) in enumerate(zip(config.nodes, names, strict=True)):
        kind = built_in_classes().get(node.class_name)
        for port, spec in (kind.inputs if kind else {}).items():
            if not findings.wants_warnings:
                return
            if not spec.optional and (name, port) not in fed and port not in _BATCH_PORTS:
                findings.warnings.append(
                    f"{place}nodes.{index}: node '{shown(name)}' needs '{port}', which neither a "
                    "connection nor the data provide"
                )


def _check_hparams(node: NodeConfig, kind: BuiltInNode, where: str, findings: Findings) -> None:
    declared: Mapping[str, object] = kind.hparams
    missing = [
        key for key, hparam in kind.hparams.items() if hparam.required and key not in node.hparams
    ]
    if missing and findings.wants_errors:
        needed = ", ".join(f"'{key}'" for key in missing)
        findings.errors.append(
            f"{where}.hparams: node '{shown(node.name)}' ({kind.class_name}) needs {needed}"
        )
    for key in sorted(node.hparams.keys() - declared.keys() - HPARAMS_OF_EVERY_NODE):
        if not findings.wants_warnings:
            return
        known = ", ".join(declared) or "none"
        findings.warnings.append(
            f"{where}.hparams: {kind.class_name} has no '{shown(key)}', so it has no effect."
            f"{nearest(shown(key), list(declared))} It has: {known}"
        )


def _check_unknown_class(
    config: PipelineConfig,
    node: NodeConfig,
    where: str,
    node_packages: Collection[str],
    findings: Findings,
) -> None:
    path = shown(node.class_name)
    allowed = any(f"{node.class_name}.".startswith(f"{prefix}.") for prefix in node_packages)
    if allowed and findings.wants_warnings:
        findings.warnings.append(
            f"{where}.class_name: '{path}' is a class of another package; its ports and hparams "
            "are checked when the pipeline is loaded"
        )
    elif not allowed and config.plugins and findings.wants_warnings:
        named = ", ".join(shown(plugin) for plugin in config.plugins[:5])
        findings.warnings.append(
            f"{where}.class_name: '{path}' is not built in; a plugin that the session loads has to "
            f"provide it ({named})"
        )
    elif not (allowed or config.plugins) and findings.wants_errors:
        findings.errors.append(
            f"{where}.class_name: '{path}' is unknown; nearest known: "
            f"{nearest_classes(node.class_name, built_in_classes())}. For the class of a plugin, "
            "name the plugin in 'plugins'."
        )
