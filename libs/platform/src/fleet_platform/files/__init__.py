"""Files: access rules, atomic writes, archives."""

from fleet_platform.files.folder_archive import pack_folder, unpack_folder
from fleet_platform.files.path_policy import PathPolicy
from fleet_platform.files.volume_errors import volume_answers
from fleet_platform.files.write_atomically import write_atomically

__all__ = ["PathPolicy", "pack_folder", "unpack_folder", "volume_answers", "write_atomically"]
