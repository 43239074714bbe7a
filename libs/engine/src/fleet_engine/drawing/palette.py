"""Colours of the node categories."""

from collections.abc import Mapping
from types import MappingProxyType

from fleet_engine.graph.node_category import NodeCategory

COLOURS: Mapping[NodeCategory, str] = MappingProxyType(
    {
        NodeCategory.UNSPECIFIED: "#64748b",
        NodeCategory.SOURCE: "#0f766e",
        NodeCategory.SINK: "#475569",
        NodeCategory.TRANSFORM: "#1d4ed8",
        NodeCategory.MODEL: "#6d28d9",
        NodeCategory.LOSS: "#b91c1c",
        NodeCategory.METRIC: "#a16207",
        NodeCategory.OPTIMIZER: "#9f1239",
        NodeCategory.SCHEDULER: "#be185d",
        NodeCategory.REGULARIZER: "#c2410c",
        NodeCategory.RUNNER: "#4338ca",
        NodeCategory.VISUALIZER: "#0e7490",
        NodeCategory.CONTROL: "#15803d",
    }
)
"""Dark colours for white text, with a contrast of at least 4.5 to 1."""
