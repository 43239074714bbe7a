"""Inference: converts arrays to and from the wire with few copies."""
