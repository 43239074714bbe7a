"""A different wall clock for each process that has this folder on its PYTHONPATH."""

from pathlib import Path

PYTHONPATH = Path(__file__).parent
