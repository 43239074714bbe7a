"""One reader per format, chosen by the suffix of the file's name."""

from fleet_engine.data.readers.opening import import_readers, open_reader
from fleet_engine.data.readers.reader import Reader

__all__ = ["Reader", "import_readers", "open_reader"]
