"""Readers for each file format, chosen by suffix."""

from fleet_engine.data.readers.opening import import_readers, open_reader
from fleet_engine.data.readers.reader import Reader

__all__ = ["Reader", "import_readers", "open_reader"]
