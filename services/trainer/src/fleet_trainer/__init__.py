"""Trainer service: training runs in child processes."""
