"""Files that a client names: pipelines and splits of a trainrun."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from fleet_engine.weights import read_weights_file
from fleet_platform.errors import InvalidInput
from fleet_platform.files import PathPolicy
from fleet_platform.shown_text import shown
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import (
    DataConfig,
    DataSplitConfig,
    PipelineConfig,
    PipelineReference,
    parse_yaml,
    validate_config,
)

YAML_SUFFIXES = ("", ".yaml", ".yml")
"""Suffixes that the path of a YAML file may lack, in the order in which they are tried."""

_MAX_SIZE_BYTES = 8 * 1024 * 1024


class PipelineSource(NamedTuple):
    """A pipeline's configuration and, if a weights file was named, its weights."""

    config: PipelineConfig
    weights: bytes | None


def read_pipeline(
    given: PipelineConfig | PipelineReference | str,
    paths: PathPolicy,
    search_paths: Iterable[str | Path],
) -> PipelineSource:
    """Read a pipeline in any of the three forms in which a trainrun may specify it.

    Args:
        given: Inline, a path, or the paths of configuration and weights.
        paths: Which files may be read.
        search_paths: Folders in which relative paths are looked up first.

    Raises:
        NotFound: a named file does not exist.
        InvalidInput: a file may not be read, or is not a pipeline.
        Exhausted: the weights do not fit into memory.
    """
    if isinstance(given, PipelineConfig):
        return PipelineSource(given, None)
    folders = tuple(search_paths)
    if isinstance(given, str):
        given = PipelineReference(config_path=given)
    path = paths.readable(given.config_path, folders, YAML_SUFFIXES)
    what = f"pipeline '{shown(given.config_path)}'"
    config = validate_config(PipelineConfig, read_yaml(path, what), what)
    if not given.weights_path:
        return PipelineSource(config, None)
    return PipelineSource(config, read_weights_file(given.weights_path, paths, folders).content)


def with_splits_of_file(data: DataConfig, session: SessionRecord, paths: PathPolicy) -> DataConfig:
    """Replace the splits of `data` with those in the file that it names.

    Args:
        data: The data; returned unchanged if it has no `splits_path`.
        session: Relative paths are looked up in its search paths first.
        paths: Which files may be read.

    Raises:
        NotFound: the file does not exist.
        InvalidInput: the file may not or cannot be read, or does not contain splits.
    """
    if data.splits is None or not data.splits.splits_path:
        return data
    path = data.splits.splits_path
    what = f"splits '{shown(path)}'"
    content = read_yaml(paths.readable(path, session.search_paths), what)
    splits = validate_config(DataSplitConfig, content, what).to_dict() | {"splits_path": path}
    return validate_config(DataConfig, data.to_dict() | {"splits": splits}, "data")


def read_yaml(path: Path, what: str) -> dict[str, Any]:
    """Read a mapping of JSON values.

    Args:
        path: The file.
        what: Describes the file to the client; the subject of error texts.

    Raises:
        InvalidInput: it cannot be read, is larger than 8 MiB, or has other content.
    """
    try:
        size_bytes = path.stat().st_size
        if size_bytes > _MAX_SIZE_BYTES:
            raise InvalidInput(f"{what} has {size_bytes} bytes; the limit is {_MAX_SIZE_BYTES}.")
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{what} cannot be read; check its type and permissions.") from error
    return parse_yaml(raw, what)
