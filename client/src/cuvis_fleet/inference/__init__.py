"""Inference: arrays to and from the wire, with as few copies as possible."""
