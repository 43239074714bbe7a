"""From a config to a pipeline."""

import threading

import torch

from fleet_engine.graph.construction import make_node
from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.graph.node import Node
from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.graph.size_bound import SizeBound
from fleet_engine.graph.wiring import wire
from fleet_schemas import PipelineConfig, canonical_json, digest
from fleet_schemas.graph import name_fault, unique_name

_SEEDING = threading.Lock()


def build_pipeline(config: PipelineConfig) -> Pipeline:
    """Build a pipeline on the CPU, with initial weights that follow from the config alone.

    Raises:
        GraphInvalid: the config does not describe a graph that can run; the text names the place.
        Exhausted: its nodes take more than 4 GiB.
    """
    seed = int(digest(canonical_json(config))[:15], 16)
    nodes: dict[str, Node] = {}
    # The generator behind torch's initialisers is shared by the process, hence the lock.
    with _SEEDING, torch.random.fork_rng(devices=[]), SizeBound():
        torch.manual_seed(seed)
        for node_config in config.nodes:
            name = _unique(node_config.name, nodes)
            nodes[name] = make_node(node_config, name).eval()
    return Pipeline(config, nodes, wire(nodes, config.connections))


def _unique(name: str, taken: dict[str, Node]) -> str:
    if fault := name_fault(name):
        raise GraphInvalid(fault)
    return unique_name(name, taken)
