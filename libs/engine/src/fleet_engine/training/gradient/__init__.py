"""Gradient training by Lightning, which takes seconds to import: only who trains imports this."""

from fleet_engine.training.gradient.loop import train_gradient

__all__ = ["train_gradient"]
