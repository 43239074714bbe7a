"""Nodes that rescale values: cubes and scores."""
