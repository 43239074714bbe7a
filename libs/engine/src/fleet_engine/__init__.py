"""Typed graph of torch nodes: plans, statistical fitting, readers, weights."""

import fleet_engine.nodes as _nodes  # noqa: F401  (fills the catalogue)
from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.build import build_pipeline
from fleet_engine.graph.catalogue import catalogue, node_class, published
from fleet_engine.graph.context import Context
from fleet_engine.graph.errors import GraphInvalid, NotFitted
from fleet_engine.graph.execution.node_times import NodeTimes
from fleet_engine.graph.execution.plan import Plan
from fleet_engine.graph.execution.tile_threads import set_tile_threads
from fleet_engine.graph.metric import Metric
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_packages import allow_node_packages
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.graph.port_spec import PortSpec
from fleet_engine.graph.stage import Stage

__all__ = [
    "Artifact",
    "Context",
    "GraphInvalid",
    "Metric",
    "Node",
    "NodeCategory",
    "NodeTag",
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
    "published",
    "set_tile_threads",
]
