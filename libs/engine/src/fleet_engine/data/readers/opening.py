"""Opens files by suffix. The library of a format is imported when its first file is opened."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fleet_engine.data.data_file import DataFile
from fleet_engine.data.readers.reader import Reader
from fleet_platform.errors import InvalidInput


def _open_cu3s(file: DataFile, processing_mode: str) -> Reader:
    from fleet_engine.data.readers.cu3s import Cu3sReader

    return Cu3sReader(file, processing_mode)


def _open_envi(file: DataFile, _processing_mode: str) -> Reader:
    from fleet_engine.data.readers.envi import EnviReader

    return EnviReader(file)


def _open_matlab(file: DataFile, _processing_mode: str) -> Reader:
    from fleet_engine.data.readers.matlab import MatlabReader

    return MatlabReader(file)


def _open_npy(file: DataFile, _processing_mode: str) -> Reader:
    from fleet_engine.data.readers.npy import NpyReader

    return NpyReader(file)


def _open_npz(file: DataFile, _processing_mode: str) -> Reader:
    from fleet_engine.data.readers.npz import NpzReader

    return NpzReader(file)


def _open_tiff(file: DataFile, _processing_mode: str) -> Reader:
    from fleet_engine.data.readers.tiff import TiffReader

    return TiffReader(file)


_OPENERS: Mapping[str, Callable[[DataFile, str], Reader]] = MappingProxyType(
    {
        ".cu3s": _open_cu3s,
        ".hdr": _open_envi,
        ".mat": _open_matlab,
        ".npy": _open_npy,
        ".npz": _open_npz,
        ".tif": _open_tiff,
        ".tiff": _open_tiff,
    }
)


def open_reader(file: DataFile, processing_mode: str) -> Reader:
    """Open `file` by its suffix, ignoring case.

    Args:
        file: the file to open.
        processing_mode: how the camera software processes counts; `.cu3s` files only.

    Raises:
        InvalidInput: the suffix is unknown, or the content does not match it.
        OutOfOrder: the SDK for `.cu3s` files is not installed.
    """
    opener = _OPENERS.get(file.path.suffix.lower())
    if opener is None:
        raise InvalidInput(
            f"Data file '{file.sent}' has an unknown format; supported: .cu3s, ENVI (name the "
            ".hdr), .mat, .npy, .npz, .tif and .tiff."
        )
    return opener(file, processing_mode)


def import_readers() -> None:
    """Import the libraries of all formats except the Cubert SDK.

    Idle processes call this, so that the first file opens without delay.
    """
    from fleet_engine.data.readers import envi, matlab, npy, npz, tiff  # noqa: F401
