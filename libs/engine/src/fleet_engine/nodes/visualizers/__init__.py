"""Nodes that draw pictures or write event files during a run."""
