"""Losses and regularizers of gradient training."""
