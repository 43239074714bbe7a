"""Descriptions of node classes: category, keywords, icon, ports."""

from fleet_engine.descriptions.icon import icon_svg
from fleet_engine.descriptions.node_description import NodeDescription, built_in_nodes

__all__ = ["NodeDescription", "built_in_nodes", "icon_svg"]
