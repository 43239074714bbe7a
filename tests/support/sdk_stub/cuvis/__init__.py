"""A stub of Cubert's `cuvis` SDK, for machines without the native SDK.

A session file is an `.npz` under the suffix `.cu3s` (see `tests/support/sdk_stub/cu3s.py`). Put
the folder `tests/support/sdk_stub` on PYTHONPATH to use it.
"""

from cuvis import cuvis_aux
from cuvis.cube_utils import ImageData
from cuvis.cuvis_types import ProcessingMode, ReferenceType
from cuvis.General import init, set_log_level, shutdown, version
from cuvis.Measurement import Measurement
from cuvis.ProcessingContext import ProcessingContext
from cuvis.SessionFile import SessionFile

__all__ = [
    "ImageData",
    "Measurement",
    "ProcessingContext",
    "ProcessingMode",
    "ReferenceType",
    "SessionFile",
    "cuvis_aux",
    "init",
    "set_log_level",
    "shutdown",
    "version",
]
