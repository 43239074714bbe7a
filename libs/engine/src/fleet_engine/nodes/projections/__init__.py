"""Nodes that reduce the channels of a cube by trainable linear maps."""
