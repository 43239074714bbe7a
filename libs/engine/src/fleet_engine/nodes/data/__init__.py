"""Nodes that prepare a pipeline's input data."""
