"""Gradient training by Lightning, whose import takes seconds."""

from fleet_engine.training.gradient.loop import train_gradient

__all__ = ["train_gradient"]
