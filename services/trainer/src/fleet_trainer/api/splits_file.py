"""Splits that lie in a file of their own, as data of the newer form may have them."""

from fleet_platform.files import PathPolicy
from fleet_platform.shown_text import shown
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import DataConfig, DataSplitConfig, validate_config
from fleet_trainer.trainruns.yaml_file import read_yaml


def with_splits_of_file(data: DataConfig, session: SessionRecord, paths: PathPolicy) -> DataConfig:
    """Give data the splits of the file that they name, in place of those beside its path.

    Args:
        data: the data; without `splits_path` they stay as they are.
        session: relative paths are looked up in its search paths first.
        paths: what may be read.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it may not or cannot be read, or holds no splits.
    """
    if data.splits is None or not data.splits.splits_path:
        return data
    path = data.splits.splits_path
    what = f"splits '{shown(path)}'"
    content = read_yaml(paths.readable(path, session.search_paths), what)
    splits = validate_config(DataSplitConfig, content, what).to_dict() | {"splits_path": path}
    return validate_config(DataConfig, data.to_dict() | {"splits": splits}, "data")
