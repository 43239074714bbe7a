"""What goes wrong with files, as exceptions.

::

    SceneFileError
    ├── UnreadableScene   missing, damaged, of an unknown kind, or what is in it does not fit
    └── UnwritableFile    of an unknown kind, no room, or the kind has no place for what it is given
"""


class SceneFileError(Exception):
    """A file that cannot be worked with; the text says which, why, and what would be right."""


class UnreadableScene(SceneFileError):
    """The file is missing, damaged, of an unknown kind, or what is in it does not fit."""


class UnwritableFile(SceneFileError):
    """The file could not be written, and nothing of it was left behind."""
