"""Where a trainrun's pipeline comes from: the trainrun itself or files that it names."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fleet_platform.files import PathPolicy
from fleet_platform.shown_text import shown
from fleet_schemas import PipelineConfig, PipelineReference, validate_config
from fleet_trainer.trainruns.weights_file import read_weights_file
from fleet_trainer.trainruns.yaml_file import SUFFIXES, read_yaml


class PipelineSource(NamedTuple):
    """A pipeline's configuration and, where a file of them was named, its weights."""

    config: PipelineConfig
    weights: bytes | None


def read_pipeline(
    given: PipelineConfig | PipelineReference | str,
    policy: PathPolicy,
    search_paths: Iterable[str | Path],
) -> PipelineSource:
    """Resolve each of the three forms in which a trainrun gives its pipeline.

    Args:
        given: Inline, a path, or the paths of configuration and weights.
        policy: What may be read.
        search_paths: Folders in which relative paths are looked up first.

    Raises:
        NotFound: a named file does not exist.
        InvalidInput: it may not be read, or holds no pipeline.
        Exhausted: the weights do not fit into memory.
    """
    if isinstance(given, PipelineConfig):
        return PipelineSource(given, None)
    folders = tuple(search_paths)
    if isinstance(given, str):
        given = PipelineReference(config_path=given)
    path = policy.readable(given.config_path, folders, SUFFIXES)
    what = f"pipeline '{shown(given.config_path)}'"
    config = validate_config(PipelineConfig, read_yaml(path, what), what)
    if not given.weights_path:
        return PipelineSource(config, None)
    return PipelineSource(config, read_weights_file(given.weights_path, policy, folders))
