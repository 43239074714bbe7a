"""Typed graph of torch nodes: plans, statistical fitting, readers, weights."""

import fleet_engine.nodes as _nodes  # noqa: F401  (fills the catalogue)
from fleet_engine.graph import (
    Context,
    GraphInvalid,
    Node,
    NodeTimes,
    NotFitted,
    Pipeline,
    Plan,
    PortSpec,
    Stage,
    allow_node_packages,
    build_pipeline,
    catalogue,
    node_class,
    set_tile_threads,
)

__all__ = [
    "Context",
    "GraphInvalid",
    "Node",
    "NodeTimes",
    "NotFitted",
    "Pipeline",
    "Plan",
    "PortSpec",
    "Stage",
    "allow_node_packages",
    "build_pipeline",
    "catalogue",
    "node_class",
    "set_tile_threads",
]
