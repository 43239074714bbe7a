"""Reading and writing scenes and results in local files.

The formats, and the names inside the files, are those that servers read: ``.npz``, ``.npy``, ENVI
(``.hdr``), ``.mat`` and ``.tif``. All but the NumPy formats need
``pip install 'cuvis-fleet[formats]'``.
"""

from cuvis_fleet.formats.conversion import convert
from cuvis_fleet.formats.errors import SceneFileError, UnreadableScene, UnwritableFile
from cuvis_fleet.formats.reading import read_scene, read_scenes
from cuvis_fleet.formats.result_files import write_result
from cuvis_fleet.formats.scene import Scene
from cuvis_fleet.formats.writing import write_scene, write_scenes

__all__ = [
    "Scene",
    "SceneFileError",
    "UnreadableScene",
    "UnwritableFile",
    "convert",
    "read_scene",
    "read_scenes",
    "write_result",
    "write_scene",
    "write_scenes",
]
