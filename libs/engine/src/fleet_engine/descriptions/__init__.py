"""Node classes for people: category, keywords, icon, ports."""

from fleet_engine.descriptions.icon import icon_svg
from fleet_engine.descriptions.node_category import NodeCategory
from fleet_engine.descriptions.node_description import (
    NodeDescription,
    built_in_nodes,
    label_of,
)
from fleet_engine.descriptions.node_label import NodeLabel
from fleet_engine.descriptions.node_tag import NodeTag

__all__ = [
    "NodeCategory",
    "NodeDescription",
    "NodeLabel",
    "NodeTag",
    "built_in_nodes",
    "icon_svg",
    "label_of",
]
