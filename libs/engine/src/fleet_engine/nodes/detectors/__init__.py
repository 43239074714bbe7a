"""Nodes that score pixels by how anomalous they are."""
