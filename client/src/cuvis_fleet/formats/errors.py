"""The exceptions for scene files.

::

    SceneFileError
    ├── UnreadableScene   missing, damaged, inconsistent or of an unknown format
    └── UnwritableFile    disk full, unknown format, or data that the format does not support
"""


class SceneFileError(Exception):
    """A file cannot be read or written; the text names the file, the reason and the remedy."""


class UnreadableScene(SceneFileError):
    """The file is missing, damaged, inconsistent or of an unknown format."""


class UnwritableFile(SceneFileError):
    """The file could not be written; no partial file remains."""
