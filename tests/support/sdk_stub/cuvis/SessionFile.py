# ruff: noqa: N999 - names that the SDK gives
"""A recorded session."""

import zipfile
from pathlib import Path

import numpy as np

from cuvis.cuvis_aux import SDKException
from cuvis.cuvis_types import ReferenceType
from cuvis.Measurement import Measurement


class SessionFile:
    def __init__(self, base):
        if not Path(base).exists():
            raise FileNotFoundError("Could not open SessionFile File! File not found!")
        try:
            with np.load(base, allow_pickle=False) as content:
                self._cubes = content["cubes"]
                self._wavelengths = [int(wavelength) for wavelength in content["wavelengths"]]
                self._references = {ReferenceType[str(name)] for name in content["references"]}
        except (ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
            raise SDKException("not a session file") from error
        self.fps = 1.0

    def get_measurement(self, frameNo=0, itemtype=None):
        return Measurement(self, frameNo) if 0 <= frameNo < len(self) else None

    def get_reference(self, frameNo, reftype):
        return Measurement(self, 0) if reftype in self._references else None

    def get_size(self, itemtype=None):
        return len(self._cubes)

    def __len__(self):
        return self.get_size()

    def __getitem__(self, key):
        return self.get_measurement(key)

    def __iter__(self):
        return (self[index] for index in range(len(self)))
