"""Figures of pipelines, and their DOT and Mermaid text."""

from fleet_engine.drawing.dot import to_dot
from fleet_engine.drawing.figure import Arrow, Card, Figure, PortRow
from fleet_engine.drawing.figure_of import figure_of
from fleet_engine.drawing.mermaid import to_mermaid

__all__ = ["Arrow", "Card", "Figure", "PortRow", "figure_of", "to_dot", "to_mermaid"]
