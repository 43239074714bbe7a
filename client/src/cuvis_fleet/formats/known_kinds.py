"""The kinds of files that are read and written, by the suffix of their names."""

from pathlib import Path

from cuvis_fleet.formats.envi_images import ENVI
from cuvis_fleet.formats.file_kind import FileKind
from cuvis_fleet.formats.matlab_files import MATLAB
from cuvis_fleet.formats.numpy_files import NPY, NPZ
from cuvis_fleet.formats.tiff_images import TIFF

_KINDS = (NPZ, NPY, ENVI, MATLAB, TIFF)
_BY_SUFFIX = {suffix: kind for kind in _KINDS for suffix in kind.suffixes}


def kind_of(path: Path) -> FileKind | None:
    """The kind of a file, letter case ignored; None: not known."""
    return _BY_SUFFIX.get(path.suffix.lower())


def unknown_kind(path: Path) -> str:
    """What is wrong with a file of no known kind, and which kinds are known."""
    kind = path.suffix or "no suffix"
    known = "; known are .npz, .npy, ENVI (name the .hdr), .mat, .tif and .tiff."
    if path.suffix.lower() == ".cu3s":
        known = (
            ": servers with Cubert's SDK read it, clients do not. Name it in data.cu3s_file_path"
            + known
        )
    return f"{path} is of an unknown kind ({kind}){known}"
