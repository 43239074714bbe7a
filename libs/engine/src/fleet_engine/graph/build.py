"""Builds pipelines from configs."""

import threading
from collections.abc import Callable

import torch
from torch import nn

from fleet_engine.graph.allocation_limit import AllocationLimit
from fleet_engine.graph.catalogue import node_class
from fleet_engine.graph.construction import make_node
from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.graph.node import Node
from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.graph.wiring import wire
from fleet_schemas import NodeConfig, PipelineConfig, canonical_json, digest
from fleet_schemas.graph import name_fault, unique_name

_SEEDING = threading.Lock()


def build_pipeline(
    config: PipelineConfig, find_class: Callable[[str], type[nn.Module]] = node_class
) -> Pipeline:
    """Build a pipeline on the CPU, with initial weights that depend on the config only.

    Args:
        config: the configuration.
        find_class: returns the class of a class path; by default, a built-in class or one of the
            operator's packages.

    Raises:
        GraphInvalid: the config does not describe a runnable graph; the text names the place.
        Exhausted: its nodes need more than 4 GiB.
    """
    canonical = canonical_json(config)
    seed = int(digest(canonical)[:15], 16)
    nodes: dict[str, Node] = {}
    # Before seeding, because importing code may draw random numbers the first time.
    kinds = [_kind_of(node_config, find_class) for node_config in config.nodes]
    # The random generator of torch's initialisers is process-wide, hence the lock.
    with _SEEDING, torch.random.fork_rng(devices=[]), AllocationLimit():
        torch.manual_seed(seed)
        for node_config, kind in zip(config.nodes, kinds, strict=True):
            name = _unique(node_config.name, nodes)
            nodes[name] = make_node(node_config, kind, name).eval()
    return Pipeline(config, nodes, wire(nodes, config.connections), len(canonical))


def _kind_of(config: NodeConfig, find_class: Callable[[str], type[nn.Module]]) -> type[nn.Module]:
    try:
        return find_class(config.class_name)
    except GraphInvalid as error:
        raise GraphInvalid(f"Node '{config.name}': {error.text}") from error


def _unique(name: str, taken: dict[str, Node]) -> str:
    if fault := name_fault(name):
        raise GraphInvalid(fault)
    return unique_name(name, taken)
