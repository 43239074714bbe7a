# ruff: noqa: N999 - names that the SDK gives
"""Turns counts into a cube: reflectance as stored, other modes with the dark level on top."""

import numpy as np

from cuvis.cube_utils import ImageData
from cuvis.cuvis_aux import SDKException
from cuvis.cuvis_types import ProcessingMode
from cuvis.Measurement import Measurement
from cuvis.SessionFile import SessionFile

DARK_LEVEL = 100


class ProcessingContext:
    def __init__(self, base, load_references=True):
        if not isinstance(base, (SessionFile, Measurement)):
            raise SDKException(f"could not interpret input of type {type(base)}.")
        self.processing_mode = ProcessingMode.Raw

    def apply(self, mesu):
        if not isinstance(mesu, Measurement):
            raise SDKException("Can only apply ProcessingContext to Measurement!")
        cube = np.array(mesu._session._cubes[mesu._index])
        if self.processing_mode is ProcessingMode.Raw:
            cube += DARK_LEVEL
        mesu.processing_mode = self.processing_mode
        mesu.data = {"cube": ImageData.from_array(cube, mesu._session._wavelengths)}
        return mesu
