"""Readers of measurement files in many formats, and batches of measurements."""

from fleet_engine.data.batching import batches
from fleet_engine.data.data_file import DataFiles
from fleet_engine.data.measurement import Measurement
from fleet_engine.data.measurements import Measurements, open_measurements
from fleet_engine.data.readers import import_readers

__all__ = [
    "DataFiles",
    "Measurement",
    "Measurements",
    "batches",
    "import_readers",
    "open_measurements",
]
