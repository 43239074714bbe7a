"""Icons of the node categories."""

from functools import cache
from importlib.resources import files

from fleet_engine.graph.node_category import NodeCategory


@cache
def icon_svg(category: NodeCategory) -> bytes:
    """Return the icon as an SVG document of 24 x 24 units, drawn in ``currentColor``."""
    return (files("fleet_engine.descriptions") / "icons" / f"{category}.svg").read_bytes()
