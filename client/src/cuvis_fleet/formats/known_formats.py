"""The supported file formats, by suffix."""

from pathlib import Path

from cuvis_fleet.formats.envi_images import ENVI
from cuvis_fleet.formats.file_format import FileFormat
from cuvis_fleet.formats.matlab_files import MATLAB
from cuvis_fleet.formats.numpy_files import NPY, NPZ
from cuvis_fleet.formats.tiff_images import TIFF

_FORMATS = (NPZ, NPY, ENVI, MATLAB, TIFF)
_BY_SUFFIX = {suffix: file_format for file_format in _FORMATS for suffix in file_format.suffixes}


def format_of(path: Path) -> FileFormat | None:
    """Return the format of a file by its suffix, ignoring case; None: unknown."""
    return _BY_SUFFIX.get(path.suffix.lower())


def unknown_format(path: Path) -> str:
    """Return the error text for a file of an unknown format."""
    suffix = path.suffix or "no suffix"
    known = "; supported: .npz, .npy, ENVI (the .hdr file), .mat, .tif and .tiff."
    if path.suffix.lower() == ".cu3s":
        known = ": only servers with Cubert's SDK read it; set data.cu3s_file_path to it" + known
    return f"{path} has an unknown format ({suffix}){known}"
