"""Reader for Cubert session files, using Cubert's `cuvis` SDK."""

from types import ModuleType
from typing import Any

import numpy as np

from fleet_engine.data.data_file import DataFile
from fleet_engine.data.measurement import Measurement
from fleet_platform.errors import InvalidInput, OutOfOrder

_MODES = ("Raw", "DarkSubtract", "Reflectance", "SpectralRadiance")
_REFERENCES_OF_MODE = {
    "DarkSubtract": ("Dark",),
    "Reflectance": ("White", "Dark"),
    "SpectralRadiance": ("Dark",),
}


class Cu3sReader:
    """The measurements of a session file, processed when they are read."""

    def __init__(self, file: DataFile, processing_mode: str) -> None:
        if processing_mode not in _MODES:
            raise InvalidInput(
                f"data.processing_mode '{processing_mode}' is unknown; use one of "
                f"{', '.join(_MODES)}."
            )
        cuvis = _import_sdk(file)
        self._file = file
        self._mode = getattr(cuvis.ProcessingMode, processing_mode)
        self._sdk_error = cuvis.cuvis_aux.SDKException
        try:
            self._session = cuvis.SessionFile(str(file.path))
            self._context = cuvis.ProcessingContext(self._session)
            self._length = len(self._session)
            missing = [
                name
                for name in _REFERENCES_OF_MODE.get(processing_mode, ())
                if self._session.get_reference(0, getattr(cuvis.ReferenceType, name)) is None
            ]
        except self._sdk_error as error:
            raise file.unreadable("it is not a session file that the SDK can open.") from error
        if missing:
            raise file.unreadable(
                f"processing mode {processing_mode} needs a {' and a '.join(missing)} reference, "
                "which the file lacks; use data.processing_mode=Raw."
            )
        self._context.processing_mode = self._mode

    def __len__(self) -> int:
        return self._length

    def read(self, index: int) -> Measurement:
        """Process and read measurement `index`."""
        try:
            measurement: Any = self._session.get_measurement(index)
            if measurement is None:
                raise self._file.unreadable(f"measurement {index} is missing.")
            if "cube" not in measurement.data or measurement.processing_mode != self._mode:
                measurement = self._context.apply(measurement)
            cube = measurement.data["cube"]
        except (self._sdk_error, KeyError) as error:
            raise self._file.unreadable(
                f"the SDK cannot process measurement {index} to {self._mode.name}."
            ) from error
        wavelengths_nm = None if cube.wavelength is None else np.asarray(cube.wavelength)
        # The SDK owns the memory of its cubes; a copy outlives the measurement.
        return Measurement.from_arrays(self._file, np.array(cube.array), wavelengths_nm)


def _import_sdk(file: DataFile) -> ModuleType:
    try:
        import cuvis
        import cuvis.cuvis_aux
    # Without its native libraries the SDK raises SystemExit.
    except (ImportError, OSError, NotImplementedError, SystemExit) as error:
        raise OutOfOrder(
            f"Data file '{file.sent}' needs the Cubert cuvis SDK, which this server lacks: install "
            "the native Cuvis SDK, set the environment variable CUVIS to its folder, and install "
            "'cuvis-fleet-engine[cu3s]'. Files of the other supported kinds need no SDK."
        ) from error
    return cuvis  # type: ignore[no-any-return] # the SDK has no type information
