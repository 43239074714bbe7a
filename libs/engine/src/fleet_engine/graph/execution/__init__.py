"""Compiled plans: how the nodes of a pipeline are run."""
