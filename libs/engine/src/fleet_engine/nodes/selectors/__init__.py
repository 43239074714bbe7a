"""Nodes that choose channels, or weights of channels, of a cube."""
