"""Where a trainrun's pipeline comes from: the trainrun itself or files that it names."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import yaml

from fleet_engine.weights import WEIGHT_SUFFIXES
from fleet_platform.errors import InvalidInput
from fleet_platform.files import PathPolicy
from fleet_schemas import PipelineConfig, PipelineReference, validate_config

_CONFIG_SUFFIXES = ("", ".yaml", ".yml")


class PipelineSource(NamedTuple):
    """A pipeline's configuration and, where a file of them was named, its weights."""

    config: PipelineConfig
    weights: bytes | None


def read_pipeline(
    given: PipelineConfig | PipelineReference | str,
    policy: PathPolicy,
    search_paths: Iterable[str],
) -> PipelineSource:
    """Resolve each of the three forms in which a trainrun gives its pipeline.

    Args:
        given: Inline, a path, or the paths of configuration and weights.
        policy: What may be read.
        search_paths: The session's folders for relative paths.

    Raises:
        NotFound: a named file does not exist.
        InvalidInput: it may not be read, or holds no pipeline.
    """
    if isinstance(given, PipelineConfig):
        return PipelineSource(given, None)
    folders = tuple(search_paths)
    if isinstance(given, str):
        given = PipelineReference(config_path=given)
    config = _load(given.config_path, policy.readable(given.config_path, folders, _CONFIG_SUFFIXES))
    if not given.weights_path:
        return PipelineSource(config, None)
    weights = policy.readable(given.weights_path, folders, WEIGHT_SUFFIXES)
    return PipelineSource(config, _read(given.weights_path, weights))


def _load(text: str, path: Path) -> PipelineConfig:
    try:
        content = yaml.safe_load(_read(text, path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise InvalidInput(f"pipeline: '{text}' is not YAML{where}.") from error
    return validate_config(PipelineConfig, content, f"pipeline in '{text}'")


def _read(text: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"pipeline: '{text}' cannot be read; is it a readable file?") from error
