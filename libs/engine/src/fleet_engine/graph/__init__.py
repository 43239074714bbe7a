"""Typed graph: ports, wiring, validation, compiled plans."""
